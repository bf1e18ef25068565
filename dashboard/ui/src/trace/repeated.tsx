// Calls that were made again although an earlier one had the answer, above the waterfall that shows them.

import type { TraceAnswer } from "../api/types";
import { Notice } from "../components/answer";
import { count } from "../format/count";
import { duration } from "../format/duration";

type Calls = NonNullable<TraceAnswer["repeated_calls"]>;

/** How many kinds are named; the waterfall shows the rest. */
const NAMED_MAX = 3;

export function Repeated({ calls, onOpen }: { calls: Calls; onOpen: (row: number) => void }) {
  if (calls.length === 0) return null;
  return (
    <Notice tone="warn">
      <ul class="plain">
        {calls.slice(0, NAMED_MAX).map((call) => (
          <li key={`${call.callee} ${call.operation} ${call.key}`}>
            {call.callee ?? "somebody"} was asked {count(call.count)} times for the same (
            <span class="mono">{call.operation}</span>, <span class="mono">{call.key}</span>)
            {call.certain ? "" : ", as far as its statement tells"}: {count(call.needless_count)} needless,{" "}
            {duration(call.needless_us)}.{" "}
            {call.rows[1] === undefined ? null : (
              <button type="button" class="quiet" onClick={() => onOpen(call.rows[1] as number)}>
                Show the second
              </button>
            )}
          </li>
        ))}
        {calls.length > NAMED_MAX ? <li>{count(calls.length - NAMED_MAX)} more kinds.</li> : null}
      </ul>
    </Notice>
  );
}
