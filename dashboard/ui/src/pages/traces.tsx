// Search traces; the question stands in the address bar.

import { useMemo, useState } from "preact/hooks";
import { withQuery } from "../api/client";
import type { ServicesAnswer, TraceSummary, TracesAnswer } from "../api/types";
import { useQuery } from "../api/use_query";
import { Answer, AsOf, Empty, Notice } from "../components/answer";
import { Scroll } from "../components/scroll";
import { Shape } from "../components/state";
import { Ago } from "../components/time";
import { count } from "../format/count";
import { duration, parseDuration } from "../format/duration";
import { useKeys } from "../keys/keys";
import { Link, navigate, type Place } from "../router/router";
import {
  fromQuery,
  LIMITS,
  RANGES,
  rangeMs,
  SORTS,
  type Sort,
  splitTags,
  type TraceSearch,
  toQuery,
} from "../url/search";

/** What the orders are called on the page. */
const SORT_NAMES: Record<Sort, string> = {
  newest: "newest first",
  longest: "longest first",
  most_spans: "most spans first",
  most_errors: "most errors first",
};

/** The API path for a search made at `now`; a bad duration asks nothing. */
export function searchPath(search: TraceSearch, now: number): string | null {
  const min = search.minDuration === "" ? undefined : parseDuration(search.minDuration);
  if (search.minDuration !== "" && min === undefined) return null;
  const fixed = search.start !== "" || search.end !== "";
  return withQuery("/tracepact/v1/traces", {
    service: search.service,
    name: search.name,
    tag: search.tags,
    errors: search.errors,
    min_duration_us: min,
    start: fixed ? search.start : new Date(now - rangeMs(search.range)).toISOString(),
    end: search.end,
    limit: search.limit,
    sort: search.sort === "newest" ? undefined : search.sort,
    cursor: search.cursor,
  });
}

export function TracesPage({ place }: { place: Place }) {
  const text = place.query.toString();
  const search = useMemo(() => fromQuery(new URLSearchParams(text)), [text]);
  const [asked, setAsked] = useState(0);
  // Asking again moves "now", and with it the window.
  const path = useMemo(() => searchPath(search, Date.now()), [search, asked]);
  const found = useQuery<TracesAnswer>(path);
  const again = { ...found, refresh: () => setAsked((n) => n + 1) };
  useKeys("Traces", [{ keys: "r", does: "search again", run: again.refresh }]);
  return (
    <>
      <div class="head">
        <h1>Traces</h1>
        <AsOf query={again} />
      </div>
      <SearchForm key={text} search={search} onSame={again.refresh} />
      {path === null ? (
        <Notice tone="bad" alert>
          “{search.minDuration}” is not a duration. Write a number and a unit, such as 150 ms or 2 s.
        </Notice>
      ) : (
        <Answer query={again} what="traces">
          {(data) => <TraceList data={data} search={search} />}
        </Answer>
      )}
    </>
  );
}

function SearchForm({ search, onSame }: { search: TraceSearch; onSame: () => void }) {
  const services = useQuery<ServicesAnswer>("/tracepact/v1/services");
  const submit = (event: Event) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(data.get(name) ?? "");
    const range = text("range");
    const query = toQuery({
      service: text("service"),
      name: text("name"),
      tags: splitTags(text("tags")),
      errors: data.get("errors") !== null,
      minDuration: text("min"),
      range: range === "fixed" ? "1h" : range,
      start: range === "fixed" ? search.start : "",
      end: range === "fixed" ? search.end : "",
      limit: Number(text("limit")),
      sort: SORTS.find((known) => known === text("sort")) ?? "newest",
      cursor: "",
    }).toString();
    if (query === toQuery(search).toString()) onSame();
    else navigate(query === "" ? "/traces" : `/traces?${query}`, "push");
  };
  const fixed = search.start !== "" || search.end !== "";
  return (
    <form class="form" onSubmit={submit} aria-label="Search traces">
      <label class="grow">
        Service
        <input
          name="service"
          list="known-services"
          defaultValue={search.service}
          spellcheck={false}
          placeholder="any"
        />
      </label>
      <datalist id="known-services">
        {services.data?.services.map((s) => (
          <option key={s.name} value={s.name} />
        ))}
      </datalist>
      <label class="grow">
        Operation
        <input name="name" defaultValue={search.name} spellcheck={false} placeholder="any" />
      </label>
      <label class="grow">
        Tags (key=value, comma between)
        <input
          name="tags"
          defaultValue={search.tags.join(", ")}
          spellcheck={false}
          placeholder="http.status_code=500"
        />
      </label>
      <label>
        At least (150 ms, 2 s)
        <input name="min" size={8} defaultValue={search.minDuration} spellcheck={false} />
      </label>
      <label>
        Started
        <select name="range" defaultValue={fixed ? "fixed" : search.range}>
          {fixed ? (
            <option value="fixed" selected>{`${search.start || "any"} to ${search.end || "now"}`}</option>
          ) : null}
          {RANGES.map((range) => (
            <option key={range} value={range} selected={!fixed && range === search.range}>
              within {range.replace("m", " min").replace("h", " h").replace("d", " days")}
            </option>
          ))}
        </select>
      </label>
      <label>
        At most
        <select name="limit">
          {LIMITS.map((limit) => (
            <option key={limit} value={limit} selected={limit === search.limit}>
              {limit} traces
            </option>
          ))}
        </select>
      </label>
      <label>
        Order
        <select name="sort">
          {SORTS.map((sort) => (
            <option key={sort} value={sort} selected={sort === search.sort}>
              {SORT_NAMES[sort]}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input type="checkbox" name="errors" defaultChecked={search.errors} />
        with errors
      </label>
      <button type="submit" class="primary">
        Search
      </button>
    </form>
  );
}

function TraceList({ data, search }: { data: TracesAnswer; search: TraceSearch }) {
  const traces: TraceSummary[] = data.traces;
  const next = data.next ? `/traces?${toQuery({ ...search, cursor: data.next })}` : undefined;
  const further = next ? (
    <p>
      <Link to={next}>{traces.length === 0 ? "Go on searching" : "Further traces"}</Link>
    </p>
  ) : null;
  if (traces.length === 0) {
    return (
      <Empty>
        No trace matches. Look further back than {search.start === "" ? search.range : "this window"}, or take
        a condition away; names of services compare without case, operations and tags exactly.
        {further}
      </Empty>
    );
  }
  const longest = Math.max(...traces.map((t) => t.duration_us ?? 0), 1);
  return (
    <>
      <Scroll label="Traces found">
        <table>
          <thead>
            <tr>
              <th scope="col">Trace</th>
              <th scope="col">Started</th>
              <th scope="col" class="num">
                Duration
              </th>
              <th scope="col" class="num">
                Spans
              </th>
              <th scope="col">Errors</th>
              <th scope="col">Services</th>
            </tr>
          </thead>
          <tbody>
            {traces.map((t) => (
              <tr key={t.trace_id}>
                <th scope="row">
                  <Link to={`/traces/${t.trace_id}`}>
                    {t.root_service ?? "unknown service"}: {t.root_name ?? "unnamed"}
                  </Link>{" "}
                  <span class="soft mono">{t.trace_id.slice(0, 8)}</span>
                </th>
                <td>
                  <Ago at={t.start} />
                </td>
                <td class="num">
                  {duration(t.duration_us)}
                  <span class="span-bar" style={{ width: `${((t.duration_us ?? 0) / longest) * 100}%` }} />
                </td>
                <td class="num">{count(t.span_count)}</td>
                <td class="nowrap">
                  {t.error_count > 0 ? (
                    <span class="state tone-bad">
                      <Shape name="square" />
                      {t.error_count === 1 ? "1 error" : `${count(t.error_count)} errors`}
                    </span>
                  ) : (
                    <span class="soft">none</span>
                  )}
                </td>
                <td>{t.services.join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {further}
    </>
  );
}
