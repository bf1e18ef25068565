// The details of one span: tags, events, links, and the pages that tell whether it is cause or victim.

import type { TraceAnswer } from "../api/types";
import { Shape } from "../components/state";
import { duration } from "../format/duration";
import { Link } from "../router/router";
import type { Row } from "./flatten";

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function Pairs({
  of,
  empty,
  asGiven = false,
}: {
  of: Record<string, unknown>;
  empty: string;
  asGiven?: boolean;
}) {
  const pairs = Object.entries(of);
  if (!asGiven) pairs.sort(([a], [b]) => a.localeCompare(b));
  if (pairs.length === 0) return <p class="soft">{empty}</p>;
  return (
    <table>
      <tbody>
        {pairs.map(([key, value]) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td>{text(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function SpanPanel({ row, trace, onClose }: { row: Row; trace: TraceAnswer; onClose: () => void }) {
  const { span } = row;
  const facts: Record<string, unknown> = {
    kind: span.kind ?? "not set",
    "starts after": duration(span.start_offset_us),
    duration: duration(span.duration_us),
    "self time": duration(span.self_time_us),
    "span id": span.span_id,
    "parent id": span.parent_id ?? "none",
    level: row.level,
  };
  if (span.critical_us) facts["the trace waited"] = `${duration(span.critical_us)} for its own work`;
  if (span.skew_us) facts.clock = `${duration(span.skew_us)} behind its caller's; moved by that here`;
  if (span.instance) facts.instance = span.instance;
  if (span.version) facts.version = span.version;
  if (span.remote_service) facts["remote service"] = span.remote_service;
  if (span.shared) facts.shared = "yes: caller and callee report one span id";
  return (
    <section class="panel" aria-label="Span details">
      <div class="head">
        <h2>
          {span.service ?? "unknown service"}: {span.name ?? "unnamed"}
        </h2>
        <button type="button" class="asof" onClick={onClose}>
          Close
        </button>
      </div>
      {span.error ? (
        <p>
          <span class="state tone-bad">
            <Shape name="square" />
            error
          </span>{" "}
          {span.status_message ?? <span class="soft">without a message</span>}
        </p>
      ) : null}
      <Pairs of={facts} empty="" asGiven />
      <h3>Tags</h3>
      <Pairs of={span.tags} empty="No tags." />
      <h3>Events</h3>
      {span.events.length === 0 ? <p class="soft">No events.</p> : null}
      {span.events.map((event, n) => (
        // Numbered: events of a span never move
        <div key={n}>
          <p>
            {event.name} <span class="soft">after {duration(event.offset_us)}</span>
          </p>
          {event.attributes && Object.keys(event.attributes).length > 0 ? (
            <Pairs of={event.attributes} empty="" />
          ) : null}
        </div>
      ))}
      <h3>Links</h3>
      {span.links.length === 0 ? <p class="soft">No links to other spans.</p> : null}
      <ul>
        {span.links.map((link) => (
          <li key={link.trace_id + link.span_id}>
            <Link to={`/traces/${link.trace_id}?span=${link.span_id}`}>
              span <span class="mono">{link.span_id}</span>{" "}
              {link.trace_id === trace.trace_id ? "of this trace" : `of trace ${link.trace_id.slice(0, 8)}…`}
            </Link>
          </li>
        ))}
      </ul>
      <h3>Cause or victim?</h3>
      <Corroborate service={span.service} remote={span.remote_service} tags={span.tags} />
    </section>
  );
}

function Corroborate(props: {
  service: string | null | undefined;
  remote: string | null | undefined;
  tags: Record<string, unknown>;
}) {
  const group = props.tags["messaging.consumer.group.name"] ?? props.tags["messaging.kafka.consumer.group"];
  const q = encodeURIComponent;
  return (
    <ul>
      {props.service ? (
        <li>
          <Link to={`/breakers?service=${q(props.service)}`}>Breakers of {props.service}</Link>
        </li>
      ) : null}
      {typeof group === "string" ? (
        <li>
          <Link to={`/messages?group=${q(group)}`}>Lag of group {group}</Link>
        </li>
      ) : null}
      {props.service ? (
        <li>
          <Link to={`/contracts?pacticipant=${q(props.remote ?? props.service)}`}>
            Contracts of {props.remote ?? props.service}
          </Link>
        </li>
      ) : null}
    </ul>
  );
}
