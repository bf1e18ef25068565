// From the spans in tree order to the rows on screen, given which parents are folded.

import type { Span } from "../api/types";

export interface Row {
  span: Span;
  /** Position in the whole trace, from 0: it names the row even where span ids repeat (shared spans). */
  index: number;
  /** Level in the tree, from 1. */
  level: number;
  /** How many rows stand below it in the whole tree. */
  descendants: number;
  /** Whether its descendants are shown; meaningless without any. */
  expanded: boolean;
  /** Position and number among its siblings, from 1. */
  position: number;
  siblings: number;
}

/** The tree of all rows, whatever is folded. `spans` come in tree order with their depth. */
export function rowsOf(spans: readonly Span[]): Row[] {
  const rows: Row[] = spans.map((span, index) => ({
    span,
    index,
    level: Math.max(1, span.depth),
    descendants: 0,
    expanded: true,
    position: 1,
    siblings: 1,
  }));
  // The next row at the same level or above ends a subtree: one pass from the end finds all ends.
  const starts: number[] = [];
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i] as Row;
    while (starts.length > 0 && (rows[starts[starts.length - 1] as number] as Row).level > row.level)
      starts.pop();
    const end = starts.length > 0 ? (starts[starts.length - 1] as number) : rows.length;
    row.descendants = end - i - 1;
    starts.push(i);
  }
  const families = new Map<number, Row[]>();
  const path: number[] = [];
  for (const row of rows) {
    path.length = Math.min(path.length, row.level - 1);
    const parent = path[path.length - 1] ?? -1;
    const family = families.get(parent);
    if (family) family.push(row);
    else families.set(parent, [row]);
    path[row.level - 1] = row.index;
  }
  for (const family of families.values()) {
    for (const [n, row] of family.entries()) {
      row.position = n + 1;
      row.siblings = family.length;
    }
  }
  return rows;
}

/** The rows to show when those whose index is in `folded` hide what is below them. */
export function visible(rows: readonly Row[], folded: ReadonlySet<number>): Row[] {
  const shown: Row[] = [];
  for (let i = 0; i < rows.length; ) {
    const row = rows[i] as Row;
    const expanded = !folded.has(row.index);
    shown.push(expanded === row.expanded ? row : { ...row, expanded });
    i += expanded ? 1 : 1 + row.descendants;
  }
  return shown;
}

/** The index of the row above `index` in the tree; undefined for a root. */
export function parentIndex(rows: readonly Row[], index: number): number | undefined {
  const level = rows[index]?.level ?? 1;
  for (let i = index - 1; i >= 0; i--) {
    if ((rows[i] as Row).level < level) return i;
  }
  return undefined;
}

/** All rows above `index`: what must be unfolded to see it. */
export function ancestors(rows: readonly Row[], index: number): number[] {
  const above: number[] = [];
  for (let at = parentIndex(rows, index); at !== undefined; at = parentIndex(rows, at)) above.push(at);
  return above;
}

/** `folded` without the rows above `index`: what is asked for by key or address must be visible. */
export function revealing(
  rows: readonly Row[],
  folded: ReadonlySet<number>,
  index: number,
): ReadonlySet<number> {
  const above = new Set(ancestors(rows, index));
  return [...folded].some((at) => above.has(at))
    ? new Set([...folded].filter((at) => !above.has(at)))
    : folded;
}

/** The next row with an error after `from` (or before it), around the end; undefined without any. */
export function nextError(rows: readonly Row[], from: number, step: 1 | -1): number | undefined {
  for (let n = 1; n <= rows.length; n++) {
    const at = (from + step * n + rows.length * 2) % rows.length;
    if (rows[at]?.span.error) return at;
  }
  return undefined;
}
