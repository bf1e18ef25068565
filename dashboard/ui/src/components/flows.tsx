import type { Flow, Message, MessageVerdict } from "../api/types";
import { count } from "../format/count";
import { duration } from "../format/duration";
import { adjust, Link, type Place } from "../router/router";
import { Empty } from "./answer";
import { TraceLink } from "./links";
import { Scroll } from "./scroll";
import { messageLook, State } from "./state";
import { Ago } from "./time";

const VERDICTS: MessageVerdict[] = [
  "lost",
  "late",
  "dead_lettered",
  "duplicated",
  "queued",
  "open",
  "answered",
];

/** One row per flow: what became of its messages, each number leading to them. */
export function Flows({ flows }: { flows: Flow[] }) {
  if (flows.length === 0) {
    return (
      <Empty>
        No flow is configured, so nobody can tell a lost message from a late one. Name the request, result and
        dead-letter topics and the group under <code>[[flows]]</code>.
      </Empty>
    );
  }
  return (
    <Scroll label="Flows">
      <table>
        <thead>
          <tr>
            <th scope="col">Flow</th>
            <th scope="col">Topics</th>
            <th scope="col" class="num">
              Late after
            </th>
            {VERDICTS.map((verdict) => (
              <th scope="col" class="num" key={verdict}>
                {messageLook(verdict).word}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {flows.map((flow) => (
            <tr key={flow.name}>
              <th scope="row">
                {flow.name} <span class="soft">by group {flow.group}</span>
                {flow.error ? <p class="tone-bad">not read: {flow.error}</p> : null}
              </th>
              <td class="mono">
                {flow.request_topic} → {flow.result_topic}
                {flow.dead_letter_topic ? `, ${flow.dead_letter_topic}` : ""}
              </td>
              <td class="num">{duration(flow.window_ms * 1000)}</td>
              {VERDICTS.map((verdict) => {
                const n = flow.counts[verdict];
                return (
                  <td class="num" key={verdict}>
                    {n ? (
                      <Link to={`/messages?flow=${encodeURIComponent(flow.name)}&verdict=${verdict}`}>
                        {count(n)}
                      </Link>
                    ) : (
                      count(n)
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

export function MessageList({
  messages,
  flows,
  place,
}: {
  messages: Message[];
  flows: Flow[];
  place: Place;
}) {
  const verdict = place.query.get("verdict") ?? "";
  const flow = place.query.get("flow") ?? "";
  return (
    <>
      <form class="form" aria-label="Which messages" onSubmit={(event) => event.preventDefault()}>
        <label>
          Flow
          <select onChange={(event) => adjust({ flow: event.currentTarget.value }, "replace")}>
            <option value="">all</option>
            {flows.map((f) => (
              <option key={f.name} value={f.name} selected={f.name === flow}>
                {f.name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Verdict
          <select onChange={(event) => adjust({ verdict: event.currentTarget.value }, "replace")}>
            <option value="">all</option>
            {VERDICTS.map((v) => (
              <option key={v} value={v} selected={v === verdict}>
                {messageLook(v).word}
              </option>
            ))}
          </select>
        </label>
      </form>
      {messages.length === 0 ? (
        <Empty>
          {verdict || flow
            ? "No message has this verdict. Choose another verdict or flow to see more."
            : "No message is lost, late, dead-lettered or duplicated as far as the configured flows tell."}
        </Empty>
      ) : (
        <Scroll label="Messages">
          <table>
            <thead>
              <tr>
                <th scope="col">Message key</th>
                <th scope="col">Verdict</th>
                <th scope="col">Why</th>
                <th scope="col">Trace</th>
                <th scope="col">Requested</th>
                <th scope="col">Decided</th>
                <th scope="col">Flow</th>
                <th scope="col" class="num">
                  Partition
                </th>
                <th scope="col" class="num">
                  Offset
                </th>
              </tr>
            </thead>
            <tbody>
              {messages.map((m) => (
                <tr key={`${m.flow} ${m.partition} ${m.offset} ${m.verdict}`}>
                  <th scope="row" class="mono">
                    {m.key}
                  </th>
                  <td>
                    <State look={messageLook(m.verdict)} />
                  </td>
                  <td class="wide">{m.reason}</td>
                  <td>{m.trace_id ? <TraceLink id={m.trace_id} /> : <span class="soft">unknown</span>}</td>
                  <td>
                    <Ago at={m.requested_at} />
                  </td>
                  <td>{m.decided_at ? <Ago at={m.decided_at} /> : <span class="soft">not yet</span>}</td>
                  <td class="nowrap">{m.flow}</td>
                  <td class="num">{m.partition}</td>
                  <td class="num">{m.offset}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}
