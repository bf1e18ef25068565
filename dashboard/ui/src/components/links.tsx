import type { ApiLink } from "../api/types";
import { Link } from "../router/router";

/** A link from the API: within the dashboard when it is a path, outside only over https. */
export function GoTo({ link, label }: { link: ApiLink; label?: string }) {
  const text = label ?? words(link);
  if (/^\/(?!\/)/.test(link.href)) {
    // Addresses of the API itself are no pages.
    if (link.href.startsWith("/tracepact/") || link.href === "/health")
      return <a href={link.href.slice(1)}>{text}</a>;
    return <Link to={link.href}>{text}</Link>;
  }
  if (link.href.startsWith("https://") || link.href.startsWith("http://")) {
    return (
      <a href={link.href} rel="noreferrer noopener">
        {text}
      </a>
    );
  }
  return <span>{text}</span>;
}

function words(link: ApiLink): string {
  const many = link.rel === "trace" && link.href.startsWith("/traces?");
  return many ? "failing traces" : link.rel.replaceAll(/[-_]/g, " ");
}

export function Links({ links }: { links: readonly ApiLink[] | null | undefined }) {
  if (!links || links.length === 0) return null;
  return (
    <span class="links">
      {links.map((link) => (
        <GoTo key={link.rel + link.href} link={link} />
      ))}
    </span>
  );
}

/** A trace id, shortened on screen and whole in the link. */
export function TraceLink({ id, label }: { id: string; label?: string }) {
  return (
    <Link to={`/traces/${encodeURIComponent(id)}`} title={`trace ${id}`}>
      {label ?? <span class="mono nowrap">{id.slice(0, 8)}…</span>}
    </Link>
  );
}

/** The API may name a trace by link, by address or by id. */
export function traceLink(trace: string | ApiLink | null | undefined): ApiLink | undefined {
  if (!trace) return undefined;
  if (typeof trace !== "string") return trace;
  return { rel: "trace", href: /^[0-9a-f]{16,32}$/i.test(trace) ? `/traces/${trace}` : trace };
}
