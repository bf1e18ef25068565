import { adjust, type Place } from "../router/router";

/** The filters of the address bar that this page applies, each with a way to take it away. */
export function Filters({ place, names }: { place: Place; names: readonly string[] }) {
  const set = names.filter((name) => place.query.get(name));
  if (set.length === 0) return null;
  return (
    <ul class="chips" aria-label="Filters">
      {set.map((name) => (
        <li class="chip" key={name}>
          {name}: {place.query.get(name)}
          <button
            type="button"
            class="quiet"
            aria-label={`Remove the filter ${name}`}
            onClick={() => adjust({ [name]: null }, "replace")}
          >
            ✕
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Whether `value` passes the filter `name`; names compare without case, as services do. */
export function passes(place: Place, name: string, value: string | null | undefined): boolean {
  const wanted = place.query.get(name);
  return !wanted || (value ?? "").toLowerCase() === wanted.toLowerCase();
}
