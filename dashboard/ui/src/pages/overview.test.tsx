import { render, screen, within } from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AS_OF, serve } from "../../test/api";
import { OverviewPage } from "./overview";

afterEach(() => vi.unstubAllGlobals());

const rest = {
  "/tracepact/v1/services": { as_of: AS_OF, complete: true, services: [] },
  "/tracepact/v1/events": { as_of: AS_OF, complete: true, events: [] },
};

describe("overview", () => {
  it("lists problems with severity in words, age and links", async () => {
    serve({
      ...rest,
      "/tracepact/v1/overview": {
        as_of: AS_OF,
        complete: true,
        counts: { breakers_open: 1 },
        problems: [
          {
            kind: "breaker_open",
            severity: "error",
            title: "breaker stock (orders → products) is open",
            links: [{ rel: "breaker", href: "/breakers?service=orders" }],
          },
        ],
      },
    });
    render(<OverviewPage />);
    const item = (await screen.findByText(/breaker stock/)).closest("li") as HTMLElement;
    expect(within(item).getByText("error")).toBeInTheDocument();
    expect(within(item).getByText("since unknown")).toBeInTheDocument();
    expect(within(item).getByRole("link", { name: "breaker" })).toHaveAttribute(
      "href",
      "/breakers?service=orders",
    );
  });

  it("shows an absent count as unknown, and does not claim that all is well", async () => {
    serve({
      ...rest,
      "/tracepact/v1/overview": { as_of: AS_OF, complete: true, problems: [], counts: { breakers_open: 0 } },
    });
    render(<OverviewPage />);
    const tile = (await screen.findByRole("link", { name: "messages lost" })).closest("div") as HTMLElement;
    expect(within(tile).getByText("unknown")).toBeInTheDocument();
    expect(
      screen.getByText(/Nobody could tell about: messages lost, consumer groups lagging/),
    ).toBeInTheDocument();
  });

  it("names what is missing from a partial answer", async () => {
    serve({
      ...rest,
      "/tracepact/v1/overview": {
        as_of: AS_OF,
        complete: false,
        cut: "kafka did not answer: timeout",
        problems: [],
        counts: {},
      },
    });
    render(<OverviewPage />);
    expect(await screen.findByText(/kafka did not answer: timeout/)).toBeInTheDocument();
  });

  it("says what to do when the server is gone", async () => {
    serve({ ...rest, "/tracepact/v1/overview": new TypeError("failed to fetch") });
    render(<OverviewPage />);
    expect(await screen.findByRole("alert")).toHaveTextContent(
      /cannot be reached; check that the process runs/,
    );
    expect(screen.getByRole("button", { name: "Try again" })).toBeInTheDocument();
  });
});
