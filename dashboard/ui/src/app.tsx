import { useEffect } from "preact/hooks";
import { Empty } from "./components/answer";
import { Layout } from "./components/layout";
import { listen } from "./keys/keys";
import { BreakersPage } from "./pages/breakers";
import { ContractsPage } from "./pages/contracts";
import { MessagesPage } from "./pages/messages";
import { OverviewPage } from "./pages/overview";
import { TracePage } from "./pages/trace";
import { TracesPage } from "./pages/traces";
import { Link, match, type Place, usePlace } from "./router/router";

function page(place: Place) {
  const trace = match("/traces/:id", place.path);
  if (trace?.id)
    return { title: `Trace ${trace.id.slice(0, 8)}`, view: <TracePage id={trace.id} place={place} /> };
  if (match("/", place.path)) return { title: "Overview", view: <OverviewPage /> };
  if (match("/traces", place.path)) return { title: "Traces", view: <TracesPage place={place} /> };
  if (match("/breakers", place.path)) return { title: "Breakers", view: <BreakersPage place={place} /> };
  if (match("/messages", place.path)) return { title: "Messages", view: <MessagesPage place={place} /> };
  if (match("/contracts", place.path) || match("/contracts/proposals/:id", place.path)) {
    return { title: "Contracts", view: <ContractsPage place={place} /> };
  }
  return {
    title: "Not found",
    view: (
      <>
        <h1>There is no such page</h1>
        <Empty>
          Nothing is shown at <code>{place.path}</code>. Start at the <Link to="/">overview</Link>.
        </Empty>
      </>
    ),
  };
}

export function App() {
  const place = usePlace();
  useEffect(listen, []);
  const { title, view } = page(place);
  useEffect(() => {
    document.title = `${title} · tracepact`;
  }, [title]);
  return <Layout place={place}>{view}</Layout>;
}
