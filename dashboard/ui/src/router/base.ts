// The page may stand under a path prefix. The server names it in <base>; everything else here is below it.

function basePath(): string {
  return new URL(document.baseURI).pathname.replace(/[^/]*$/, "").replace(/\/$/, "");
}

/** An address of our API (`/tracepact/v1/…`) as this page must call it. */
export function apiAddress(path: string): string {
  return basePath() + path;
}

/** A path of the dashboard (`/traces/…`) as the browser's address bar shows it. */
export function pageAddress(path: string): string {
  return basePath() + path;
}

/** The dashboard's own path for what the address bar shows. */
export function ownPath(pathname: string): string {
  const base = basePath();
  const rest = base !== "" && pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname;
  return rest === "" ? "/" : rest;
}
