// What is wrong, since when, and where to look.

import type { Counts, EventsAnswer, OverviewAnswer, Problem, ServicesAnswer } from "../api/types";
import { useQuery } from "../api/use_query";
import { Answer, AsOf, Empty, Notice } from "../components/answer";
import { Links } from "../components/links";
import { Scroll } from "../components/scroll";
import { State, severityLook } from "../components/state";
import { Ago, At, Since } from "../components/time";
import { counted } from "../format/count";
import { Link } from "../router/router";

const POLL_MS = 5000;

export function OverviewPage() {
  const overview = useQuery<OverviewAnswer>("/tracepact/v1/overview", { pollMs: POLL_MS, live: true });
  return (
    <>
      <div class="head">
        <h1>Overview</h1>
        <AsOf query={overview} live />
      </div>
      <Answer query={overview} what="overview">
        {(data) => <CountTiles counts={data.counts} />}
      </Answer>
      <div class="split">
        <div>
          <section aria-labelledby="problems">
            <div class="head">
              <h2 id="problems">What is wrong</h2>
            </div>
            {overview.data ? <Problems answer={overview.data} /> : null}
          </section>
          <Services />
        </div>
        <Feed />
      </div>
    </>
  );
}

const TILES: { key: keyof Counts; label: string; to: string; bad: boolean }[] = [
  { key: "breakers_open", label: "breakers open", to: "/breakers", bad: true },
  { key: "messages_lost", label: "messages lost", to: "/messages?verdict=lost", bad: true },
  { key: "groups_lagging", label: "consumer groups lagging", to: "/messages", bad: true },
  { key: "deploys_refused", label: "deploys refused", to: "/contracts", bad: true },
  { key: "services", label: "services known", to: "/traces", bad: false },
];

function CountTiles({ counts }: { counts: Counts }) {
  return (
    <dl class="counts">
      {TILES.map(({ key, label, to, bad }) => {
        const n = counts[key];
        const known = n !== null && n !== undefined;
        return (
          <div key={key} class={bad && known && n > 0 ? "raised-bad" : undefined}>
            <dt>
              <Link to={to}>{label}</Link>
            </dt>
            <dd class={known ? undefined : "unknown"}>{known ? n : "unknown"}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function Problems({ answer }: { answer: OverviewAnswer }) {
  if (answer.problems.length === 0) {
    const unknown = TILES.filter(({ key, bad }) => bad && (answer.counts[key] ?? undefined) === undefined);
    return (
      <Notice tone={unknown.length > 0 ? "plain" : "ok"}>
        Nothing is known to be wrong.
        {unknown.length > 0
          ? ` Nobody could tell about: ${unknown.map((t) => t.label).join(", ")}. Configure the source (Kafka, flows, broker) to know.`
          : ""}
      </Notice>
    );
  }
  return (
    <ol class="problems">
      {answer.problems.map((problem) => (
        <ProblemItem key={`${problem.kind} ${problem.title}`} problem={problem} />
      ))}
    </ol>
  );
}

function ProblemItem({ problem }: { problem: Problem }) {
  return (
    <li class={problem.severity}>
      <State look={severityLook(problem.severity)} />
      <div>
        <div class="title">{problem.title}</div>
        <Links links={problem.links} />
      </div>
      <div class="soft">
        <Since at={problem.since} />
      </div>
    </li>
  );
}

function Services() {
  const services = useQuery<ServicesAnswer>("/tracepact/v1/services", { pollMs: 30_000 });
  return (
    <section aria-labelledby="services">
      <div class="head">
        <h2 id="services">Services</h2>
        <AsOf query={services} />
      </div>
      <Answer query={services} what="services">
        {(data) =>
          data.services.length === 0 ? (
            <Empty>
              No service was seen yet. Send spans to this address (Zipkin at <code>/api/v2/spans</code>, OTLP
              at <code>/v1/traces</code>), or name services in the configuration.
            </Empty>
          ) : (
            <Scroll label="Services">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Service</th>
                    <th scope="col">Team</th>
                    <th scope="col">Newest version</th>
                    <th scope="col" class="num">
                      Instances
                    </th>
                    <th scope="col">Consumer groups</th>
                    <th scope="col">Pacticipant</th>
                    <th scope="col">Seen</th>
                  </tr>
                </thead>
                <tbody>
                  {data.services.map((s) => (
                    <tr key={s.name}>
                      <th scope="row">
                        <Link to={`/traces?service=${encodeURIComponent(s.name)}`}>{s.name}</Link>
                        {s.aliases.length > 0 ? <span class="soft"> also {s.aliases.join(", ")}</span> : null}
                      </th>
                      <td>{s.team ?? <span class="soft">unknown</span>}</td>
                      <td class="mono">{s.versions[0]?.version ?? <span class="soft">unknown</span>}</td>
                      <td class="num" title={s.instances.map((i) => i.id).join("\n")}>
                        {s.instances.length === 0 ? <span class="soft">unknown</span> : s.instances.length}
                      </td>
                      <td>
                        {s.consumer_groups.map((group) => (
                          <Link key={group} to={`/messages?group=${encodeURIComponent(group)}`}>
                            {group}{" "}
                          </Link>
                        ))}
                      </td>
                      <td>
                        {s.pacticipant ? (
                          <Link to={`/contracts?pacticipant=${encodeURIComponent(s.pacticipant)}`}>
                            {s.pacticipant}
                          </Link>
                        ) : null}
                      </td>
                      <td>
                        <Ago at={s.instances[0]?.last_seen ?? s.versions[0]?.last_seen} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )
        }
      </Answer>
    </section>
  );
}

function Feed() {
  const events = useQuery<EventsAnswer>("/tracepact/v1/events?limit=40", { pollMs: POLL_MS, live: true });
  return (
    <section aria-labelledby="events">
      <div class="head">
        <h2 id="events">Events</h2>
        <AsOf query={events} live />
      </div>
      <Answer query={events} what="events">
        {(data) =>
          data.events.length === 0 ? (
            <Empty>
              No event yet. Deploys, breaker transitions, contract changes and verdicts on messages appear
              here.
            </Empty>
          ) : (
            <ol class="feed" aria-label={counted(data.events.length, "event")}>
              {data.events.map((event) => (
                <li key={event.id}>
                  <At at={event.at} />
                  <div>
                    <span class="soft">{event.kind.replaceAll("_", " ")}: </span>
                    {event.title}
                    {event.cause ? <span class="soft">, because {event.cause}</span> : null}{" "}
                    <Links links={event.links} />
                  </div>
                </li>
              ))}
            </ol>
          )
        }
      </Answer>
    </section>
  );
}
