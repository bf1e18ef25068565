import { render, screen, within } from "@testing-library/preact";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AS_OF, serve } from "../../test/api";
import type { BreakerState } from "../api/types";
import { App } from "../app";
import { navigate } from "../router/router";
import { sorted, telling, tracesAround } from "./breakers";

afterEach(() => vi.unstubAllGlobals());

const breaker = (instance: string, state: string) => ({
  service: "orders",
  instance,
  name: "stock",
  callee: "products",
  state,
  transitions: [{ at: AS_OF, from: "closed", to: state, cause: "87 % of 40 requests failed" }],
});

describe("breakers", () => {
  it("tell their state in words, unknown numbers as unknown, and why they changed", async () => {
    serve({ "/tracepact/v1/breakers": { as_of: AS_OF, complete: true, breakers: [breaker("i-1", "open")] } });
    navigate("/breakers", "push");
    render(<App />);
    const table = await screen.findByRole("region", { name: "Circuit breakers" });
    const row = within(table).getByRole("row", { name: /^stock/ });
    expect(within(row).getByText("open")).toBeInTheDocument();
    expect(within(row).getAllByText("unknown").length).toBeGreaterThanOrEqual(3);
    expect(within(table).getByText(/87 % of 40 requests failed/)).toBeInTheDocument();
    expect(within(table).getByRole("link", { name: "contracts of products" })).toHaveAttribute(
      "href",
      "/contracts?pacticipant=products",
    );
  });

  it("stand worst first", () => {
    const rows = sorted([breaker("a", "closed"), breaker("b", "half_open"), breaker("c", "open")] as never);
    expect(rows.map((r) => r.instance)).toEqual(["c", "b", "a"]);
  });

  it("keep what opened them in sight while they try again and again", () => {
    const t = (from: BreakerState, to: BreakerState) => ({ at: AS_OF, from, to, cause: "probe" });
    const flapping = [
      t("half_open", "open"),
      t("open", "half_open"),
      t("closed", "open"),
      t("half_open", "closed"),
    ];
    expect(telling(flapping)).toEqual([flapping[0], flapping[2]]);
    expect(telling([t("closed", "open")])).toHaveLength(1);
    expect(telling([])).toEqual([]);
  });

  it("lead to the failing traces before the transition", () => {
    const query = new URL(tracesAround("orders", AS_OF), "http://x").searchParams;
    expect(query.get("errors")).toBe("true");
    expect(query.get("start")).toBe("2026-11-21T03:03:05.000Z");
  });

  it("can be filtered by address, and the filter taken away", async () => {
    const user = userEvent.setup();
    serve({ "/tracepact/v1/breakers": { as_of: AS_OF, complete: true, breakers: [breaker("i-1", "open")] } });
    navigate("/breakers?service=payments", "push");
    render(<App />);
    expect(await screen.findByText("No breaker passes the filter above.")).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Remove the filter service" }));
    expect(await screen.findByRole("row", { name: /^stock/ })).toBeInTheDocument();
  });
});

describe("messages", () => {
  const lag = {
    as_of: AS_OF,
    groups: [
      {
        group: "payments",
        state: "Stable",
        members: 1,
        verdict: "ok",
        topics: [
          {
            topic: "order-placed",
            lag_messages: 1240,
            lag_seconds: null,
            partitions: [{ partition: 1, end: 9, lag_messages: 1240, verdict: "stall" }],
          },
        ],
      },
    ],
  };
  const messages = {
    as_of: AS_OF,
    flows: [
      {
        name: "order-payment",
        request_topic: "order-placed",
        result_topic: "r",
        group: "payments",
        window_ms: 20000,
        counts: { lost: 1 },
      },
    ],
    messages: [
      {
        flow: "order-payment",
        key: "order-7",
        verdict: "lost",
        partition: 0,
        offset: 3,
        reason: "no result",
        trace_id: "463ac35c9f6413ad",
      },
    ],
  };

  it("show lag with units, unknown time as unknown, and the worst partition's verdict", async () => {
    serve({ "/tracepact/v1/lag": lag, "/tracepact/v1/messages": messages });
    navigate("/messages", "push");
    render(<App />);
    const row = await screen.findByRole("row", { name: /^payments order-placed/ });
    expect(within(row).getAllByText("stalled")[0]).toBeInTheDocument();
    expect(within(row).getAllByText("1,240")[0]).toBeInTheDocument();
    expect(within(row).getAllByText("unknown").length).toBeGreaterThanOrEqual(1);
  });

  it("link each message to its trace", async () => {
    serve({ "/tracepact/v1/lag": lag, "/tracepact/v1/messages": messages });
    navigate("/messages", "push");
    render(<App />);
    const row = await screen.findByRole("row", { name: /order-7/ });
    expect(within(row).getByText("lost")).toBeInTheDocument();
    expect(within(row).getByRole("link")).toHaveAttribute("href", "/traces/463ac35c9f6413ad");
  });

  it("say how to configure Kafka when there is none", async () => {
    serve({});
    navigate("/messages", "push");
    render(<App />);
    expect((await screen.findAllByText(/This server reads no Kafka/)).length).toBe(2);
  });
});

describe("contracts", () => {
  it("answer can I deploy, with what does not hold and what clears it", async () => {
    const user = userEvent.setup();
    serve({
      "/tracepact/v1/contracts/overview": { as_of: AS_OF, environments: [], pacticipants: [], pacts: [] },
      "/tracepact/v1/contracts/can-i-deploy": (url: URL) => ({
        as_of: AS_OF,
        deployable: url.searchParams.get("version") === "2" ? false : null,
        reason: "orders needs GET /products/17",
        notices: [],
        explain: [{ kind: "failed", text: "products builds a version that holds it." }],
        waivers: [
          { id: "w1", name: "INC-17", reason: "down", by: "grace", expires_at: "2026-11-27T10:00:00Z" },
        ],
        trace: "/traces/463ac35c9f6413ad",
        rows: [
          {
            waived_by: "INC-17",
            content_id: "c0ffee",
            consumer: "orders",
            consumer_version: "1",
            provider: "products",
            provider_version: "2",
            kind: "pact",
            success: false,
            mismatches: [{ interaction: "product 17", description: "expected 200 but was 404" }],
            clears: "verify products again",
          },
        ],
      }),
    });
    navigate("/contracts", "push");
    render(<App />);
    await user.type(screen.getByLabelText("Can I deploy", { selector: "input" }), "products");
    await user.type(screen.getByLabelText("version"), "2");
    await user.type(screen.getByLabelText("to"), "production");
    await user.click(screen.getByRole("button", { name: "Ask" }));
    const answer = await screen.findByText("orders needs GET /products/17");
    expect(within(answer.parentElement as HTMLElement).getByText("no")).toBeInTheDocument();
    expect(screen.getByText(/expected 200 but was 404/)).toHaveTextContent(
      "product 17: expected 200 but was 404",
    );
    expect(screen.getByText("verify products again")).toBeInTheDocument();
    expect(screen.getByText("products builds a version that holds it.")).toBeInTheDocument();
    expect(screen.getByText("(waived: INC-17)")).toBeInTheDocument();
    expect(screen.getByText(/INC-17 of grace, until/)).toBeInTheDocument();
    expect(screen.getByRole("link", { name: /trace that shows/ })).toHaveAttribute(
      "href",
      "/traces/463ac35c9f6413ad",
    );
    navigate("/contracts?pacticipant=products&version=3&environment=production", "push");
    expect(await screen.findByText("Unknown does not deploy either.")).toBeInTheDocument();
  });
});
