// What whoever started the servers knows to be true; the tests look for it on the pages. See README.md.

import { readFileSync } from "node:fs";

export interface Facts {
  /** One order that went from the gateway to the last Kafka consumer. */
  order: {
    trace_id: string;
    /** A search that finds it among newer traces: as in the address bar of /traces (`service=gateway&tag=order.id=7`). */
    search: string;
    /** Every Kafka consumer of its tree: its service, and its level with the root at 1. */
    consumers: { service: string; level: number }[];
  };
  /** A breaker that is open now. */
  breaker: { service: string; name: string };
  /** A group that is behind now on a topic. */
  lag: { group: string; topic: string };
  /** An order judged lost. */
  lost: { key: string; trace_id: string };
  /** A deploy that the gate refused. */
  refused: { pacticipant: string; version: string; environment: string };
}

function read(): Facts {
  const path = process.env.TRACEPACT_FACTS;
  if (!path) throw new Error("TRACEPACT_FACTS is not set: the path of the facts file, see e2e/README.md");
  const facts = JSON.parse(readFileSync(path, "utf8")) as Partial<Facts>;
  for (const name of ["order", "breaker", "lag", "lost", "refused"] as const) {
    if (!facts[name])
      throw new Error(`${path} says nothing about "${name}": nothing is skipped, see e2e/README.md`);
  }
  return facts as Facts;
}

export const facts = read();
