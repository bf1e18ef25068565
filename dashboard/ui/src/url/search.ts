// What the trace search asks, as it stands in the address bar: short, readable, and the same after a round trip.

export interface TraceSearch {
  service: string;
  name: string;
  /** `key=value`, one per tag. */
  tags: string[];
  errors: boolean;
  /** As typed: "150ms", "2 s". */
  minDuration: string;
  /** "15m", "1h", "6h", "24h", "7d": back from now. Ignored when start or end is set. */
  range: string;
  /** RFC 3339; empty is open. */
  start: string;
  end: string;
  limit: number;
  sort: Sort;
  /** Where the page before ended; empty for the first. */
  cursor: string;
}

/** Orders of the search, as the API names them. */
export const SORTS = ["newest", "longest", "most_spans", "most_errors"] as const;
export type Sort = (typeof SORTS)[number];

export const RANGES = ["15m", "1h", "6h", "24h", "7d"] as const;
export const LIMITS = [20, 50, 100, 200] as const;

export const EMPTY: TraceSearch = {
  service: "",
  name: "",
  tags: [],
  errors: false,
  minDuration: "",
  range: "1h",
  start: "",
  end: "",
  limit: 20,
  sort: "newest",
  cursor: "",
};

export function fromQuery(query: URLSearchParams): TraceSearch {
  const text = (name: string) => (query.get(name) ?? "").trim();
  const limit = Number(text("limit"));
  const range = text("range");
  const sort = text("sort");
  return {
    service: text("service"),
    name: text("name"),
    tags: query
      .getAll("tag")
      .map((t) => t.trim())
      .filter((t) => t !== ""),
    errors: query.get("errors") === "true",
    minDuration: text("min"),
    range: (RANGES as readonly string[]).includes(range) ? range : EMPTY.range,
    start: text("start"),
    end: text("end"),
    limit: (LIMITS as readonly number[]).includes(limit) ? limit : EMPTY.limit,
    sort: SORTS.find((known) => known === sort) ?? EMPTY.sort,
    cursor: text("cursor"),
  };
}

export function toQuery(search: TraceSearch): URLSearchParams {
  const query = new URLSearchParams();
  if (search.service.trim()) query.set("service", search.service.trim());
  if (search.name.trim()) query.set("name", search.name.trim());
  for (const tag of search.tags) if (tag.trim()) query.append("tag", tag.trim());
  if (search.errors) query.set("errors", "true");
  if (search.minDuration.trim()) query.set("min", search.minDuration.trim());
  if (search.range !== EMPTY.range) query.set("range", search.range);
  if (search.start.trim()) query.set("start", search.start.trim());
  if (search.end.trim()) query.set("end", search.end.trim());
  if (search.limit !== EMPTY.limit) query.set("limit", String(search.limit));
  if (search.sort !== EMPTY.sort) query.set("sort", search.sort);
  if (search.cursor.trim()) query.set("cursor", search.cursor.trim());
  return query;
}

/** A range such as "6h" in milliseconds. */
export function rangeMs(range: string): number {
  const found = /^(\d+)([mhd])$/.exec(range);
  const unit = { m: 60_000, h: 3_600_000, d: 86_400_000 }[found?.[2] ?? "h"] ?? 3_600_000;
  return Number(found?.[1] ?? 1) * unit;
}

/** Splits "a=b, c=d" or lines into tags; a value may hold everything but a comma. */
export function splitTags(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map((t) => t.trim())
    .filter((t) => t !== "");
}
