// Circuit breakers, and what bounds concurrency: bulkheads and consumer permits.

import { Fragment } from "preact";
import type { Breaker, BreakersAnswer, Bulkhead, BulkheadsAnswer, Transition } from "../api/types";
import { useQuery } from "../api/use_query";
import { Answer, AsOf, Empty } from "../components/answer";
import { Filters, passes } from "../components/filters";
import { Scroll } from "../components/scroll";
import { breakerLook, State } from "../components/state";
import { Ago, At, Since } from "../components/time";
import { count, counted, percent } from "../format/count";
import { seconds } from "../format/duration";
import { Link, type Place } from "../router/router";

const POLL_MS = 5000;
const RANK: Record<string, number> = { open: 0, forced_open: 1, half_open: 2, disabled: 3, closed: 4 };
/**
 * The transitions to show without asking for more: the newest, and the newest that left "closed", since a breaker that
 * tries again and again would bury what opened it.
 */
export function telling(newestFirst: readonly Transition[]): Transition[] {
  const left = newestFirst.find((t) => t.from === "closed");
  return newestFirst.filter((t, n) => n === 0 || t === left);
}

/** Worst first, then by name, so that rows stay where they are while nothing changes. */
export function sorted(breakers: readonly Breaker[]): Breaker[] {
  const name = (b: Breaker) => `${b.service}\u0000${b.name}\u0000${b.instance}`;
  return [...breakers].sort(
    (a, b) => (RANK[a.state] ?? 5) - (RANK[b.state] ?? 5) || (name(a) < name(b) ? -1 : 1),
  );
}

export function BreakersPage({ place }: { place: Place }) {
  const breakers = useQuery<BreakersAnswer>("/tracepact/v1/breakers", { pollMs: POLL_MS, live: true });
  const bulkheads = useQuery<BulkheadsAnswer>("/tracepact/v1/bulkheads", { pollMs: POLL_MS, live: true });
  return (
    <>
      <div class="head">
        <h1>Breakers</h1>
        <AsOf query={breakers} live />
      </div>
      <Filters place={place} names={["service", "name"]} />
      <section>
        <Answer query={breakers} what="breakers">
          {(data) => (
            <BreakerTable
              all={data.breakers.length}
              breakers={sorted(data.breakers).filter(
                (b) => passes(place, "service", b.service) && passes(place, "name", b.name),
              )}
            />
          )}
        </Answer>
      </section>
      <section aria-labelledby="bulkheads">
        <div class="head">
          <h2 id="bulkheads">Bulkheads and consumer permits</h2>
          <AsOf query={bulkheads} live />
        </div>
        <Answer query={bulkheads} what="bulkheads">
          {(data) => (
            <BulkheadTable bulkheads={data.bulkheads.filter((b) => passes(place, "service", b.service))} />
          )}
        </Answer>
      </section>
    </>
  );
}

function BreakerTable({ breakers, all }: { breakers: Breaker[]; all: number }) {
  if (breakers.length === 0) {
    return (
      <Empty>
        {all > 0
          ? "No breaker passes the filter above."
          : "No breaker was seen. Services report theirs over OTLP metrics, or name their hystrix.stream under [[hystrix]] in the configuration."}
      </Empty>
    );
  }
  return (
    <Scroll label="Circuit breakers">
      <table>
        <thead>
          <tr>
            <th scope="col">Breaker</th>
            <th scope="col">State</th>
            <th scope="col">In this state</th>
            <th scope="col">Calls</th>
            <th scope="col">Instance</th>
            <th scope="col" class="num">
              Errors
            </th>
            <th scope="col" class="num">
              Requests in window
            </th>
            <th scope="col" class="num">
              Rejected in all
            </th>
            <th scope="col">Seen</th>
          </tr>
        </thead>
        <tbody>
          {breakers.map((b) => (
            <Fragment key={`${b.service} ${b.instance} ${b.name}`}>
              <tr class={b.transitions.length > 0 ? "joined" : undefined}>
                <th scope="row">{b.name}</th>
                <td>
                  <State look={breakerLook(b.state)} />
                </td>
                <td>
                  <Since at={b.since} />
                </td>
                <td class="nowrap">
                  <Link to={`/traces?service=${encodeURIComponent(b.service)}`}>{b.service}</Link> →{" "}
                  {b.callee ? (
                    <Link to={`/traces?service=${encodeURIComponent(b.callee)}`}>{b.callee}</Link>
                  ) : (
                    <span class="soft">unknown</span>
                  )}
                </td>
                <td class="mono">{b.instance}</td>
                <td class="num">{percent(b.error_percent)}</td>
                <td class="num">{count(b.window_requests)}</td>
                <td class="num">{count(b.rejected_total)}</td>
                <td>
                  <Ago at={b.last_seen} /> {b.source ? <span class="soft">by {b.source}</span> : null}
                </td>
              </tr>
              {b.transitions.length > 0 ? (
                <tr class="detail">
                  <td colSpan={9}>
                    <Transitions breaker={b} />
                  </td>
                </tr>
              ) : null}
            </Fragment>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Transitions({ breaker }: { breaker: Breaker }) {
  // They come oldest first; of two at one instant the later in the list is the newer, and sorting keeps that.
  const newest = [...breaker.transitions].reverse().sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const shown = telling(newest);
  const rest = newest.filter((t) => !shown.includes(t));
  const item = (t: Transition) => (
    <TransitionItem key={t.at + t.from + t.to} breaker={breaker} transition={t} />
  );
  return (
    <>
      <ul aria-label={`Transitions of ${breaker.name} on ${breaker.instance}`}>{shown.map(item)}</ul>
      {rest.length > 0 ? (
        <details>
          <summary>{counted(rest.length, "other transition")}</summary>
          <ul>{rest.map(item)}</ul>
        </details>
      ) : null}
    </>
  );
}

/** Failing traces of the caller from shortly before the transition to it: what the breaker saw. */
export function tracesAround(service: string, at: string): string {
  const ms = Date.parse(at);
  const query = new URLSearchParams({ service, errors: "true" });
  if (!Number.isNaN(ms)) {
    query.set("start", new Date(ms - 60_000).toISOString());
    query.set("end", new Date(ms + 10_000).toISOString());
  }
  return `/traces?${query}`;
}

function TransitionItem({ breaker, transition: t }: { breaker: Breaker; transition: Transition }) {
  return (
    <li>
      <At at={t.at} /> {breakerLook(t.from).word} → <State look={breakerLook(t.to)} />{" "}
      {t.cause ? <>because {t.cause.replaceAll("_", " ")} </> : <span class="soft">cause unknown </span>}
      <Link to={tracesAround(breaker.service, t.at)}>failing traces then</Link>
      {breaker.callee ? (
        <>
          {" "}
          <Link to={`/contracts?pacticipant=${encodeURIComponent(breaker.callee)}`}>
            contracts of {breaker.callee}
          </Link>
        </>
      ) : null}
    </li>
  );
}

function BulkheadTable({ bulkheads }: { bulkheads: Bulkhead[] }) {
  if (bulkheads.length === 0) {
    return (
      <Empty>
        No bulkhead or permit was seen. Services that bound their concurrency report it over OTLP metrics.
      </Empty>
    );
  }
  return (
    <Scroll label="Bulkheads and consumer permits">
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Kind</th>
            <th scope="col">Service</th>
            <th scope="col">Instance</th>
            <th scope="col">In use of limit</th>
            <th scope="col" class="num">
              Waiting
            </th>
            <th scope="col" class="num">
              Rejected in all
            </th>
            <th scope="col">Paused</th>
            <th scope="col">Seen</th>
          </tr>
        </thead>
        <tbody>
          {bulkheads.map((b) => (
            <tr key={`${b.service} ${b.instance} ${b.kind} ${b.name} ${b.topic ?? ""}`}>
              <th scope="row">
                {b.name}
                {b.group ? (
                  <>
                    {" "}
                    <Link to={`/messages?group=${encodeURIComponent(b.group)}`}>group {b.group}</Link>
                  </>
                ) : null}
                {b.topic ? <span class="soft"> on {b.topic}</span> : null}
              </th>
              <td>{b.kind}</td>
              <td>{b.service}</td>
              <td class="mono">{b.instance}</td>
              <td class="nowrap">
                <Gauge used={b.in_use} limit={b.limit} />
                {count(b.in_use)} of {count(b.limit)}
              </td>
              <td class="num">{count(b.waiting)}</td>
              <td class="num">{count(b.rejected_total)}</td>
              <td>
                {b.kind === "bulkhead" && b.paused === undefined ? (
                  <span class="soft">does not pause</span>
                ) : b.paused === null || b.paused === undefined ? (
                  "unknown"
                ) : (
                  <>
                    {b.paused ? "paused now" : "no"}
                    {b.paused_seconds_total !== null && b.paused_seconds_total !== undefined ? (
                      <span class="soft">, {seconds(b.paused_seconds_total)} in all</span>
                    ) : null}
                  </>
                )}
              </td>
              <td>
                <Ago at={b.last_seen} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Gauge({ used, limit }: { used: number | null | undefined; limit: number | null | undefined }) {
  if (used === null || used === undefined || !limit) return null;
  const share = Math.min(100, (used / limit) * 100);
  return (
    <span class={share >= 100 ? "gauge full" : "gauge"} aria-hidden="true">
      <span style={{ width: `${share}%` }} />
    </span>
  );
}
