/** How many colours the stylesheet has for services. */
export const SERIES = 10;

/** The colour of each service of a trace: by its place in the alphabet, so the same trace always looks the same. */
export function seriesOf(services: readonly string[]): (service: string | null | undefined) => number {
  const sorted = [...new Set(services.map((s) => s.toLowerCase()))].sort();
  return (service) => {
    const at = sorted.indexOf((service ?? "").toLowerCase());
    return at < 0 ? 7 : at % SERIES;
  };
}
