import { render, screen } from "@testing-library/preact";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { apiAddress, ownPath, pageAddress } from "./base";
import { adjust, Link, match, navigate, usePlace } from "./router";

function Here() {
  const place = usePlace();
  return <p>{`${place.path}?${place.query}`}</p>;
}

describe("router", () => {
  it("matches by segment and decodes", () => {
    expect(match("/traces/:id", "/traces/ab%20c")).toEqual({ id: "ab c" });
    expect(match("/traces/:id", "/traces/")).toBeUndefined();
    expect(match("/traces/:id", "/traces/a/b")).toBeUndefined();
    expect(match("/traces/:id", "/traces/%E0%A4%A")).toBeUndefined();
    expect(match("/", "/")).toEqual({});
    expect(match("/traces", "/traces/")).toEqual({});
  });

  it("pushes going somewhere and replaces adjusting", async () => {
    render(<Here />);
    const before = window.history.length;
    navigate("/messages?flow=a", "push");
    expect(window.history.length).toBe(before + 1);
    adjust({ verdict: "lost", flow: null }, "replace");
    expect(window.history.length).toBe(before + 1);
    expect(await screen.findByText("/messages?verdict=lost")).toBeInTheDocument();
  });

  it("follows a link without loading the page, and leaves modified clicks to the browser", async () => {
    const user = userEvent.setup();
    render(
      <>
        <Here />
        <Link to="/breakers">Breakers</Link>
      </>,
    );
    await user.click(screen.getByRole("link", { name: "Breakers" }));
    expect(await screen.findByText("/breakers?")).toBeInTheDocument();
  });

  it("stands under a path prefix", () => {
    document.head.innerHTML = '<base href="/tools/tracepact/">';
    expect(apiAddress("/tracepact/v1/lag")).toBe("/tools/tracepact/tracepact/v1/lag");
    expect(pageAddress("/traces")).toBe("/tools/tracepact/traces");
    expect(ownPath("/tools/tracepact/traces/1")).toBe("/traces/1");
    expect(ownPath("/tools/tracepact/")).toBe("/");
  });
});
