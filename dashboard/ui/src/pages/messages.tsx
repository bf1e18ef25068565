// How far consumer groups are behind, and what became of each message that should have been answered.

import { withQuery } from "../api/client";
import type { GroupLag, LagAnswer, MessagesAnswer, TopicLag } from "../api/types";
import { useQuery } from "../api/use_query";
import { Answer, AsOf, Empty, Notice } from "../components/answer";
import { Filters, passes } from "../components/filters";
import { Flows, MessageList } from "../components/flows";
import { Scroll } from "../components/scroll";
import { lagLook, State } from "../components/state";
import { count, counted } from "../format/count";
import { seconds } from "../format/duration";
import { Link, type Place } from "../router/router";

const POLL_MS = 5000;
const NO_GROUP = (
  <>
    No consumer group is known. If services consume from Kafka, set <code>[kafka] bootstrap</code> in the
    configuration; a group appears once it has committed an offset.
  </>
);
const NO_KAFKA = (
  <>
    This server reads no Kafka. Set <code>[kafka] bootstrap</code> in the configuration, and name each request
    and its result under <code>[[flows]]</code>.
  </>
);

export function MessagesPage({ place }: { place: Place }) {
  const lag = useQuery<LagAnswer>("/tracepact/v1/lag", { pollMs: POLL_MS, live: true });
  const verdict = place.query.get("verdict");
  const flow = place.query.get("flow");
  const messages = useQuery<MessagesAnswer>(
    withQuery("/tracepact/v1/messages", { flow, verdict, limit: 200 }),
    { pollMs: POLL_MS, live: true },
  );
  return (
    <>
      <div class="head">
        <h1>Messages</h1>
        <AsOf query={lag} live />
      </div>
      <Filters place={place} names={["group", "topic", "flow", "verdict"]} />
      <section aria-labelledby="lag">
        <div class="head">
          <h2 id="lag">Consumer lag</h2>
        </div>
        <Answer query={lag} what="lag" missing={NO_KAFKA}>
          {(data) => (
            <>
              {data.error && !data.cut ? (
                <Notice tone="warn">
                  <strong>Kafka does not answer:</strong> {data.error}. The numbers below are the last known.
                </Notice>
              ) : null}
              <Lag
                groups={data.groups.filter((g) => passes(place, "group", g.group))}
                place={place}
                any={data.groups.length > 0}
              />
            </>
          )}
        </Answer>
      </section>
      <section aria-labelledby="flows">
        <div class="head">
          <h2 id="flows">Lost, late, dead-lettered, duplicated</h2>
          <AsOf query={messages} live />
        </div>
        <Answer query={messages} what="messages" missing={NO_KAFKA}>
          {(data) => (
            <>
              <Flows flows={data.flows} />
              {data.flows.length > 0 ? (
                <MessageList messages={data.messages} flows={data.flows} place={place} />
              ) : null}
            </>
          )}
        </Answer>
      </section>
    </>
  );
}

function Lag({ groups, place, any }: { groups: GroupLag[]; place: Place; any: boolean }) {
  const rows = groups.flatMap((group) =>
    group.topics.filter((t) => passes(place, "topic", t.topic)).map((topic) => ({ group, topic })),
  );
  if (rows.length === 0) {
    return <Empty>{any ? "No group passes the filter above." : NO_GROUP}</Empty>;
  }
  return (
    <Scroll label="Consumer lag">
      <table>
        <thead>
          <tr>
            <th scope="col">Group</th>
            <th scope="col">Topic</th>
            <th scope="col">Verdict</th>
            <th scope="col" class="num">
              Behind (messages)
            </th>
            <th scope="col" class="num">
              Behind (time)
            </th>
            <th scope="col" class="num">
              Lost to retention
            </th>
            <th scope="col">Group state</th>
            <th scope="col">Partitions, worst first</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ group, topic }) => (
            <tr key={`${group.group} ${topic.topic}`}>
              <th scope="row">
                {group.group}
                {group.service && group.service !== group.group ? (
                  <span class="soft">
                    {" "}
                    of{" "}
                    <Link to={`/traces?service=${encodeURIComponent(group.service)}`}>{group.service}</Link>
                  </span>
                ) : null}
              </th>
              <td class="mono">{topic.topic}</td>
              <td>
                <State look={lagLook(worst(topic, group))} />
              </td>
              <td class="num">{count(topic.lag_messages)}</td>
              <td class="num">{seconds(topic.lag_seconds)}</td>
              <td class="num">{count(topic.lost_messages)}</td>
              <td>
                {group.state ?? "unknown"}
                <span class="soft">
                  , {counted(group.members, "member")}, {counted(group.rebalances, "rebalance")}
                </span>
              </td>
              <td>
                <Partitions group={group.group} topic={topic} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

const ORDER = ["ok", "unknown", "warn", "stall", "stop", "rewind"];

/** A topic's verdict is its worst partition's; without partitions it is the group's. */
export function worst(topic: TopicLag, group: GroupLag): string {
  const all = topic.partitions.map((p) => p.verdict as string);
  if (all.length === 0) return group.verdict;
  return all.reduce((a, b) => (ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a));
}

function Partitions({ group, topic }: { group: string; topic: TopicLag }) {
  if (topic.partitions.length === 0) return <span class="soft">unknown</span>;
  const slowest = [...topic.partitions].sort((a, b) => (b.lag_messages ?? -1) - (a.lag_messages ?? -1));
  return (
    <details>
      <summary>
        {counted(topic.partitions.length, "partition")}
        <span class="sr">
          {" "}
          of {topic.topic} for {group}
        </span>
      </summary>
      <table>
        <thead>
          <tr>
            <th scope="col" class="num">
              Partition
            </th>
            <th scope="col" class="num">
              Behind
            </th>
            <th scope="col" class="num">
              Time
            </th>
            <th scope="col">Verdict</th>
            <th scope="col" class="num">
              Committed
            </th>
            <th scope="col" class="num">
              End
            </th>
            <th scope="col">Owner</th>
          </tr>
        </thead>
        <tbody>
          {slowest.map((p) => (
            <tr key={p.partition}>
              <td class="num">{p.partition}</td>
              <td class="num">{count(p.lag_messages)}</td>
              <td class="num">
                {p.lag_seconds_at_least ? "at least " : ""}
                {seconds(p.lag_seconds)}
              </td>
              <td>
                <State look={lagLook(p.verdict)} />
              </td>
              <td class="num">{count(p.committed)}</td>
              <td class="num">{count(p.end)}</td>
              <td class="mono">{p.owner ?? "nobody known"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
