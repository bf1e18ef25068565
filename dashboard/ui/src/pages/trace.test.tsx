import { fireEvent, render, screen, within } from "@testing-library/preact";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AS_OF, serve } from "../../test/api";
import { App } from "../app";
import { navigate } from "../router/router";

afterEach(() => vi.unstubAllGlobals());

const span = (span_id: string, depth: number, service: string, name: string, more = {}) => ({
  span_id,
  depth: depth + 1,
  service,
  name,
  kind: "SERVER",
  start_offset_us: depth * 1000,
  duration_us: 10_000,
  error: false,
  tags: {},
  events: [],
  links: [],
  shared: false,
  ...more,
});

function open(spans: unknown[], path = "/traces/463ac35c9f6413ad", more = {}) {
  serve({
    "/tracepact/v1/traces/463ac35c9f6413ad": {
      as_of: AS_OF,
      trace_id: "463ac35c9f6413ad",
      header: {
        start: AS_OF,
        duration_us: 20_000,
        services: ["gateway", "orders", "payments"],
        depth: 3,
        span_count: spans.length,
        error_count: 1,
      },
      spans,
      missing_parents: [],
      roots: 1,
      ...more,
    },
  });
  navigate(path, "push");
  render(<App />);
}

const story = [
  span("a", 0, "gateway", "POST /orders"),
  span("b", 1, "orders", "publish", { kind: "PRODUCER" }),
  span("c", 2, "payments", "process", {
    kind: "CONSUMER",
    error: true,
    status_message: "card refused",
    tags: { "messaging.consumer.group.name": "payments", "http.response.status_code": 402 },
    events: [{ offset_us: 2500, name: "retry", attributes: { attempt: 2 } }],
    links: [{ trace_id: "ffffffffffffffff", span_id: "eeeeeeeeeeeeeeee" }],
  }),
  span("d", 1, "orders", "reply", { duration_us: null }),
];

describe("one trace", () => {
  it("is a tree grid: levels, positions, one sentence per row, one tab stop", async () => {
    open(story);
    const grid = await screen.findByRole("treegrid", { name: "Spans" });
    expect(grid).toHaveAttribute("aria-rowcount", "5");
    const consumer = within(grid).getByRole("row", {
      name: "payments process, consumer, 10.0 ms, 50 % of the trace, error",
    });
    expect(consumer).toHaveAttribute("aria-level", "3");
    expect(consumer).not.toHaveAttribute("aria-expanded");
    const reply = within(grid).getByRole("row", { name: /^orders reply, server, duration unknown/ });
    expect(reply).toHaveAttribute("aria-posinset", "2");
    expect(
      within(grid)
        .getAllByRole("row")
        .filter((r) => r.getAttribute("tabindex") === "0"),
    ).toHaveLength(1);
  });

  it("is walked by keyboard, folded and unfolded, and opened with Enter", async () => {
    const user = userEvent.setup();
    open(story);
    const grid = await screen.findByRole("treegrid");
    const row = (name: RegExp) => within(grid).getByRole("row", { name });
    row(/^gateway/).focus();
    await user.keyboard("{ArrowDown}");
    expect(row(/^orders publish/)).toHaveFocus();
    await user.keyboard("{ArrowLeft}");
    expect(row(/^orders publish/)).toHaveAttribute("aria-expanded", "false");
    expect(within(grid).queryByRole("row", { name: /^payments/ })).not.toBeInTheDocument();
    await user.keyboard("{ArrowRight}{ArrowRight}");
    expect(row(/^payments/)).toHaveFocus();
    await user.keyboard("{ArrowLeft}");
    expect(row(/^orders publish/)).toHaveFocus();
    await user.keyboard("{End}");
    expect(row(/^orders reply/)).toHaveFocus();
    await user.keyboard("{Home}{ArrowDown}{ArrowDown}{Enter}");
    const panel = await screen.findByRole("region", { name: "Span details" });
    expect(panel).toHaveTextContent("card refused");
    expect(panel).toHaveTextContent("messaging.consumer.group.name");
    expect(panel).toHaveTextContent("retry after 2.50 ms");
    expect(within(panel).getByRole("link", { name: /of trace ffffffff/ })).toHaveAttribute(
      "href",
      "/traces/ffffffffffffffff?span=eeeeeeeeeeeeeeee",
    );
    expect(within(panel).getByRole("link", { name: "Lag of group payments" })).toHaveAttribute(
      "href",
      "/messages?group=payments",
    );
    expect(window.location.search).toBe("?span=c");
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("region", { name: "Span details" })).not.toBeInTheDocument();
    expect(row(/^payments/)).toHaveFocus();
  });

  it("jumps to errors, also inside what is folded", async () => {
    const user = userEvent.setup();
    open(story);
    const grid = await screen.findByRole("treegrid");
    await user.keyboard("[[");
    expect(within(grid).getAllByRole("row")).toHaveLength(2);
    await user.keyboard("e");
    expect(await within(grid).findByRole("row", { name: /^payments/ })).toHaveFocus();
  });

  it("opens where a pasted link points", async () => {
    open(story, "/traces/463ac35c9f6413ad?span=c");
    const panel = await screen.findByRole("region", { name: "Span details" });
    expect(panel).toHaveTextContent("card refused");
    expect(screen.getByRole("row", { name: /^payments/ })).toHaveAttribute("aria-selected", "true");
  });

  it("mounts a bounded number of rows, and keeps the focused one when it is scrolled away", async () => {
    open(Array.from({ length: 5000 }, (_, n) => span(`s${n}`, n === 0 ? 0 : 1, "orders", `step ${n}`)));
    const grid = await screen.findByRole("treegrid");
    const first = within(grid).getByRole("row", { name: /^orders step 0,/ });
    first.focus();
    const body = grid.querySelector(".body") as HTMLElement;
    body.scrollTop = 60_000;
    fireEvent.scroll(body);
    expect(await within(grid).findByRole("row", { name: /^orders step 2310,/ })).toBeInTheDocument();
    expect(within(grid).getAllByRole("row").length).toBeLessThan(100);
    expect(first).toHaveFocus();
  });

  it("marks what it waited for, moves a clock that is behind, and tells self time", async () => {
    const spans = [
      story[0],
      span("b", 1, "orders", "publish", {
        start_offset_us: -3_000,
        skew_us: 5_000,
        self_time_us: 4_000,
        critical_us: 4_000,
      }),
    ];
    const critical_path = [
      { row: 0, start_offset_us: 0, duration_us: 2_000 },
      { row: 1, start_offset_us: 2_000, duration_us: 4_000 },
    ];
    open(spans, "/traces/463ac35c9f6413ad?span=b", { critical_path });
    const row = await screen.findByRole("row", { name: /^orders publish.*4.00 ms on the critical path$/ });
    expect(row.querySelector(".track")).toHaveStyle({ left: "10%" });
    expect(row.querySelectorAll(".waited")).toHaveLength(1);
    expect(row.querySelector(".waited")).toHaveStyle({ left: "10%", width: "20%" });
    const panel = screen.getByRole("region", { name: "Span details" });
    expect(panel).toHaveTextContent("self time4.00 ms");
    expect(panel).toHaveTextContent("5.00 ms behind its caller's");
    expect(screen.getByText(/critical path: what the trace waited for/)).toBeInTheDocument();
  });

  it("names calls that were made again, and leads to them", async () => {
    const user = userEvent.setup();
    const repeated_calls = [
      {
        callee: "products",
        operation: "GET",
        key: "/products/7",
        certain: true,
        count: 3,
        needless_count: 2,
        needless_us: 2_000,
        rows: [1, 3],
      },
    ];
    open(story, undefined, { repeated_calls });
    expect(await screen.findByText(/products was asked 3 times/)).toHaveTextContent("2 needless, 2.00 ms");
    await user.click(screen.getByRole("button", { name: "Show the second" }));
    expect(await screen.findByRole("row", { name: /^orders reply/ })).toHaveAttribute(
      "aria-selected",
      "true",
    );
  });

  it("says why there may be no such trace", async () => {
    serve({});
    navigate("/traces/0000000000000000", "push");
    render(<App />);
    expect(await screen.findByRole("heading", { name: /There is no trace/ })).toBeInTheDocument();
  });
});
