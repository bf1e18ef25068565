// One trace: what it was, how long, what failed; then its waterfall and the details of one span.

import { useEffect, useMemo, useState } from "preact/hooks";
import type { TraceAnswer } from "../api/types";
import { useQuery } from "../api/use_query";
import { Answer, AsOf, Empty, Notice } from "../components/answer";
import { Shape } from "../components/state";
import { count, counted } from "../format/count";
import { duration } from "../format/duration";
import { both, utc } from "../format/time";
import { useKeys } from "../keys/keys";
import { adjust, Link, type Place } from "../router/router";
import { seriesOf } from "../trace/colours";
import { nextError, revealing, rowsOf } from "../trace/flatten";
import { Repeated } from "../trace/repeated";
import { SpanPanel } from "../trace/span_panel";
import { waitedFor } from "../trace/waited";
import { Waterfall } from "../trace/waterfall";

export function TracePage({ id, place }: { id: string; place: Place }) {
  const trace = useQuery<TraceAnswer>(`/tracepact/v1/traces/${encodeURIComponent(id)}`);
  return (
    <Answer
      query={trace}
      what="trace"
      missing={
        <>
          <h1>There is no trace {id}</h1>
          <p>
            It may not have arrived yet (try again), be older than the retention, not sampled, or the id may
            be cut off: 16 or 32 hexadecimal digits are whole. <Link to="/traces">Search traces</Link>.{" "}
            <button type="button" class="quiet" onClick={trace.refresh}>
              Try again
            </button>
          </p>
        </>
      }
    >
      {(data) => (
        <>
          <div class="head">
            <h1>
              {data.spans[0]?.service ?? "unknown service"}: {data.spans[0]?.name ?? "unnamed"}
            </h1>
            <span class="soft mono">{data.trace_id}</span>
            <AsOf query={trace} />
          </div>
          <Header data={data} />
          <Spans data={data} place={place} />
        </>
      )}
    </Answer>
  );
}

function Header({ data }: { data: TraceAnswer }) {
  const { header } = data;
  return (
    <>
      <dl class="facts">
        <div>
          <dt>Start</dt>
          <dd title={header.start ? both(header.start) : undefined}>
            {header.start ? utc(header.start) : "unknown"}
          </dd>
        </div>
        <div>
          <dt>Duration</dt>
          <dd>{duration(header.duration_us)}</dd>
        </div>
        <div>
          <dt>Services</dt>
          <dd>{header.services.length}</dd>
        </div>
        <div>
          <dt>Depth</dt>
          <dd>{counted(header.depth, "level")}</dd>
        </div>
        <div>
          <dt>Spans</dt>
          <dd>{count(header.span_count)}</dd>
        </div>
        <div>
          <dt>Errors</dt>
          <dd>
            {header.error_count > 0 ? (
              <span class="state tone-bad">
                <Shape name="square" />
                {count(header.error_count)}
              </span>
            ) : (
              "none"
            )}
          </dd>
        </div>
      </dl>
      {data.missing_parents.length > 0 ? (
        <Notice tone="warn">
          {counted(data.missing_parents.length, "parent span")} did not arrive (
          <span class="mono">{data.missing_parents.slice(0, 3).join(", ")}</span>
          {data.missing_parents.length > 3 ? ", …" : ""}): what was below{" "}
          {data.missing_parents.length === 1 ? "it" : "them"} stands at the top. Depth and duration may be
          wrong until {data.missing_parents.length === 1 ? "it comes" : "they come"}.
        </Notice>
      ) : null}
    </>
  );
}

function Spans({ data, place }: { data: TraceAnswer; place: Place }) {
  const rows = useMemo(() => rowsOf(data.spans), [data]);
  const series = useMemo(() => seriesOf(data.header.services), [data]);
  const waited = useMemo(() => waitedFor(data), [data]);
  const wanted = place.query.get("span");
  const openIndex = useMemo(() => {
    if (!wanted) return undefined;
    const [id, nth] = wanted.split(".");
    const same = rows.filter((r) => r.span.span_id === id);
    return same[Number(nth ?? 0)]?.index ?? same[0]?.index;
  }, [rows, wanted]);
  const [focus, setFocus] = useState({ index: openIndex ?? 0, byUser: openIndex !== undefined });

  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const goTo = (index: number, byUser: boolean) => {
    setFolded((now) => revealing(rows, now, index));
    setFocus({ index, byUser });
  };

  const open = (index: number | undefined) => {
    if (index === undefined) {
      adjust({ span: null }, "replace");
      return;
    }
    // A shared span has two rows of one id: the second is named by its place among them.
    const id = rows[index]?.span.span_id ?? "";
    const nth = rows.slice(0, index).filter((r) => r.span.span_id === id).length;
    adjust({ span: nth === 0 ? id : `${id}.${nth}` }, "replace");
  };
  const jump = (step: 1 | -1) => {
    const at = nextError(rows, focus.index, step);
    if (at !== undefined) {
      goTo(at, true);
      open(at);
    }
  };
  useKeys("Trace", [
    { keys: "e", does: "next error", run: () => jump(1) },
    { keys: "E", does: "previous error", run: () => jump(-1) },
    {
      keys: "Escape",
      does: "close the details",
      run: () => {
        open(undefined);
        setFocus((f) => ({ ...f, byUser: true }));
      },
    },
    {
      keys: "y",
      does: "copy a link to this view",
      run: () => void navigator.clipboard?.writeText(location.href),
    },
  ]);
  useEffect(() => {
    if (openIndex !== undefined && openIndex !== focus.index) goTo(openIndex, false);
  }, [openIndex]);

  if (rows.length === 0) return <Empty>This trace has no spans.</Empty>;
  const opened = openIndex === undefined ? undefined : rows[openIndex];
  return (
    <>
      <Repeated
        calls={data.repeated_calls ?? []}
        onOpen={(index) => {
          goTo(index, true);
          open(index);
        }}
      />
      <ul class="legend" aria-label="Services of this trace">
        {data.header.services.map((service) => (
          <li key={service}>
            <span class={`dot c${series(service)}`} />
            {service}
          </li>
        ))}
        {waited.size > 0 ? (
          <li title="Where another span's bar has no line below it, the trace did not wait for it.">
            <span class="waited-key" />
            critical path: what the trace waited for
          </li>
        ) : null}
      </ul>
      <div class={opened ? "trace with-panel" : "trace"}>
        <Waterfall
          rows={rows}
          folded={folded}
          setFolded={setFolded}
          total_us={data.header.duration_us ?? 0}
          waited={waited}
          series={series}
          selected={openIndex}
          focus={focus}
          onFocus={(index) => setFocus({ index, byUser: true })}
          onOpen={open}
        />
        {opened ? (
          <SpanPanel
            row={opened}
            trace={data}
            onClose={() => {
              open(undefined);
              setFocus({ index: opened.index, byUser: true });
            }}
          />
        ) : null}
      </div>
    </>
  );
}
