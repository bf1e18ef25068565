// The waterfall as a tree grid: one tab stop, arrow keys, rows mounted only near the view. The focused row stays
// mounted wherever it is, so scrolling never loses the focus.

import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Shape } from "../components/state";
import { duration } from "../format/duration";
import { useKeys } from "../keys/keys";
import { parentIndex, type Row, visible } from "./flatten";
import { place, ticks, windowed } from "./ticks";
import { moved, type Stretch } from "./waited";

export const ROW_PX = 26;
const EXTRA_ROWS = 12;
const INDENT_PX = 14;
/** Deeper levels are not indented further: the level is still told to assistive tools. */
const INDENT_LEVELS_MAX = 24;

interface Props {
  rows: readonly Row[];
  /** Indices of the rows that hide what is below them. */
  folded: ReadonlySet<number>;
  setFolded: (folded: ReadonlySet<number>) => void;
  total_us: number;
  /** What the trace waited for, by the row's index. */
  waited: ReadonlyMap<number, readonly Stretch[]>;
  series: (service: string | null | undefined) => number;
  selected: number | undefined;
  /** Which row has the roving tab stop; `byUser` moves the browser's focus there too. */
  focus: { index: number; byUser: boolean };
  onFocus: (index: number) => void;
  onOpen: (index: number) => void;
}

export function Waterfall({
  rows,
  folded,
  setFolded,
  total_us,
  waited,
  series,
  selected,
  focus,
  onFocus,
  onOpen,
}: Props) {
  const [scroll, setScroll] = useState({ top: 0, height: 800 });
  const body = useRef<HTMLDivElement>(null);

  const shown = useMemo(() => visible(rows, folded), [rows, folded]);
  const focusAt = Math.max(
    0,
    shown.findIndex((r) => r.index === focus.index),
  );

  useLayoutEffect(() => {
    const element = body.current;
    if (!element) return;
    const measure = () => setScroll({ top: element.scrollTop, height: element.clientHeight || 800 });
    measure();
    element.addEventListener("scroll", measure, { passive: true });
    const observer = typeof ResizeObserver === "undefined" ? undefined : new ResizeObserver(measure);
    observer?.observe(element);
    return () => {
      element.removeEventListener("scroll", measure);
      observer?.disconnect();
    };
  }, []);

  useLayoutEffect(() => {
    const element = body.current;
    if (!element) return;
    const top = focusAt * ROW_PX;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW_PX > element.scrollTop + element.clientHeight && element.clientHeight > 0) {
      element.scrollTop = top + ROW_PX - element.clientHeight;
    }
    if (focus.byUser)
      element.querySelector<HTMLElement>(`[data-index="${focus.index}"]`)?.focus({ preventScroll: true });
  }, [focus, focusAt]);

  const fold = (index: number, hide: boolean) => {
    const next = new Set(folded);
    if (hide) next.add(index);
    else next.delete(index);
    setFolded(next);
  };
  const parents = useMemo(() => rows.filter((r) => r.descendants > 0).map((r) => r.index), [rows]);
  useKeys("Waterfall", [
    { keys: "[", does: "fold everything", run: () => setFolded(new Set(parents)) },
    { keys: "]", does: "unfold everything", run: () => setFolded(new Set()) },
  ]);

  const pressed = (event: JSX.TargetedKeyboardEvent<HTMLElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = shown[focusAt];
    if (!row) return;
    const go = (at: number) =>
      onFocus(shown[Math.min(shown.length - 1, Math.max(0, at))]?.index ?? row.index);
    const page = Math.max(1, Math.floor(scroll.height / ROW_PX) - 1);
    const moves: Record<string, () => void> = {
      ArrowDown: () => go(focusAt + 1),
      ArrowUp: () => go(focusAt - 1),
      Home: () => go(0),
      End: () => go(shown.length - 1),
      PageDown: () => go(focusAt + page),
      PageUp: () => go(focusAt - page),
      Enter: () => onOpen(row.index),
      " ": () => onOpen(row.index),
      ArrowRight: () => {
        if (row.descendants === 0) return;
        if (row.expanded) go(focusAt + 1);
        else fold(row.index, false);
      },
      ArrowLeft: () => {
        if (row.descendants > 0 && row.expanded) fold(row.index, true);
        else {
          const parent = parentIndex(rows, row.index);
          if (parent !== undefined) onFocus(parent);
        }
      },
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };

  const [first, last] = windowed(shown.length, ROW_PX, scroll.top, scroll.height, EXTRA_ROWS);
  const mounted: number[] = [];
  if (focusAt < first) mounted.push(focusAt);
  for (let at = first; at < last; at++) mounted.push(at);
  if (focusAt >= last && shown.length > 0) mounted.push(focusAt);

  return (
    <div
      class="waterfall"
      role="treegrid"
      aria-label="Spans"
      aria-rowcount={shown.length + 1}
      onKeyDown={pressed}
    >
      <div class="titles row" role="row" aria-rowindex={1}>
        <span role="columnheader">Service and operation</span>
        <Axis total_us={total_us} />
      </div>
      <div class="body" ref={body} role="presentation">
        <div class="sheet" role="presentation" style={{ height: `${shown.length * ROW_PX}px` }}>
          {mounted.map((at) => {
            const row = shown[at] as Row;
            return (
              <SpanRow
                key={row.index}
                row={row}
                at={at}
                total_us={total_us}
                waited={waited.get(row.index) ?? []}
                colour={series(row.span.service)}
                selected={row.index === selected}
                focused={at === focusAt}
                onFold={() => fold(row.index, row.expanded)}
                onFocus={() => onFocus(row.index)}
                onOpen={() => onOpen(row.index)}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Axis({ total_us }: { total_us: number }) {
  return (
    <span class="axis" role="columnheader" aria-label="Time since the start of the trace">
      {ticks(total_us, 5).map((at) => (
        <span key={at} aria-hidden="true" style={{ left: `${total_us > 0 ? (at / total_us) * 100 : 0}%` }}>
          {duration(at).replace(/\.0+(?= )/, "")}
        </span>
      ))}
    </span>
  );
}

/** One sentence for a row: service, operation, duration, share, error. */
export function sentence(row: Row, total_us: number): string {
  const { span } = row;
  const parts = [
    `${span.service ?? "unknown service"} ${span.name ?? "unnamed"}`,
    span.kind ? span.kind.toLowerCase() : "",
    span.duration_us === null || span.duration_us === undefined
      ? "duration unknown"
      : duration(span.duration_us),
  ];
  if (total_us > 0 && span.duration_us)
    parts.push(`${Math.round((span.duration_us / total_us) * 100)} % of the trace`);
  if (span.error) parts.push("error");
  if (span.critical_us) parts.push(`${duration(span.critical_us)} on the critical path`);
  return parts.filter((p) => p !== "").join(", ");
}

interface SpanRowProps {
  row: Row;
  at: number;
  total_us: number;
  waited: readonly Stretch[];
  colour: number;
  selected: boolean;
  focused: boolean;
  onFold: () => void;
  onFocus: () => void;
  onOpen: () => void;
}

function SpanRow(props: SpanRowProps) {
  const { row, at, total_us, waited, colour, selected, focused, onFold, onFocus, onOpen } = props;
  const { span } = row;
  const bar = place(moved(span.start_offset_us, span), span.duration_us, total_us);
  const depth = Math.min(row.level - 1, INDENT_LEVELS_MAX);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys of all its rows
    <div
      class={`row span${selected ? " selected" : ""}`}
      role="row"
      aria-label={sentence(row, total_us)}
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-rowindex={at + 2}
      aria-expanded={row.descendants > 0 ? row.expanded : undefined}
      aria-selected={selected}
      data-index={row.index}
      tabIndex={focused ? 0 : -1}
      style={{ transform: `translateY(${at * ROW_PX}px)` }}
      onClick={() => {
        onFocus();
        onOpen();
      }}
      onFocus={(event) => {
        if (event.target === event.currentTarget && !focused) onFocus();
      }}
    >
      <span role="gridcell" class="name">
        <span class="indent" style={{ width: `${depth * INDENT_PX}px` }} />
        {row.descendants > 0 ? (
          <button
            type="button"
            class="fold"
            tabIndex={-1}
            aria-hidden="true"
            title={row.expanded ? "fold" : `unfold ${row.descendants}`}
            onClick={(event) => {
              event.stopPropagation();
              onFocus();
              onFold();
            }}
          >
            <Shape name={row.expanded ? "down" : "right"} />
          </button>
        ) : (
          <span class="fold" />
        )}
        <span class={`dot c${colour}`} />
        {span.error ? (
          <span class="state tone-bad">
            <Shape name="square" />
            error
          </span>
        ) : null}
        <span class="service">{span.service ?? "unknown service"}</span>
        <span
          class="operation"
          title={`${span.name ?? "unnamed"}${span.kind ? ` (${span.kind.toLowerCase()})` : ""}`}
        >
          {span.name ?? "unnamed"}
          {row.descendants > 0 && !row.expanded ? ` (+${row.descendants})` : ""}
        </span>
      </span>
      <span role="gridcell" class="lane">
        {bar ? (
          <span
            class={`track c${colour}${span.error ? " failed" : ""}`}
            style={{ left: `${bar.left}%`, width: `${bar.width}%` }}
          />
        ) : null}
        {span.events.map((event, n) => {
          const mark = place(moved(event.offset_us, span), 0, total_us);
          return mark ? (
            // Numbered: events of a span never move
            <span key={n} class="mark" title={event.name} style={{ left: `${mark.left}%` }} />
          ) : null;
        })}
        {waited.map((stretch) => {
          const part = place(stretch.start_us, stretch.length_us, total_us);
          return part ? (
            <span
              key={stretch.start_us}
              class="waited"
              title={`the trace waited ${duration(stretch.length_us)} for this`}
              style={{ left: `${part.left}%`, width: `${part.width}%` }}
            />
          ) : null;
        })}
        <span class="took">{duration(span.duration_us)}</span>
      </span>
    </div>
  );
}
