import { render, screen, waitFor, within } from "@testing-library/preact";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AS_OF, serve } from "../../test/api";
import { App } from "../app";
import { navigate } from "../router/router";

afterEach(() => vi.unstubAllGlobals());

const proposal = {
  as_of: AS_OF,
  id: "p-1",
  consumer: "orders",
  provider: "products",
  consumer_branch: "feat",
  content_id: "ab".repeat(32),
  state: "proposed",
  title: "orders needs the price",
  pull_request_url: "https://git.example.org/products/pull/7",
  created_at: AS_OF,
  updated_at: AS_OF,
  mode: "broker",
  breaking: true,
  changes: 'breaking   "an item is read" response.body.price: it is expected now',
  affected: ["products 1.2 (production)"],
  interactions: ["an item is read: GET /items/1"],
  history: [{ state: "proposed", at: AS_OF }],
  comments: [{ author: "ada", text: "which currency?", at: AS_OF }],
  line: [{ id: "p-0", content_id: "cd".repeat(32), state: "superseded", updated_at: AS_OF }],
};

function show(change: Record<string, unknown> = {}) {
  const path = "/tracepact/v1/proposals/p-1";
  const fetch = serve({
    "/tracepact/v1/contracts/overview": { as_of: AS_OF, environments: [], pacticipants: [], pacts: [] },
    "/tracepact/v1/contracts/decisions": { as_of: AS_OF, decisions: [] },
    "/tracepact/v1/proposals": { as_of: AS_OF, complete: true, proposals: [] },
    [path]: { ...proposal, ...change },
    [`${path}/accept`]: { ...proposal, state: "accepted" },
  });
  navigate("/contracts/proposals/p-1", "push");
  render(<App />);
  return fetch;
}

describe("a proposal", () => {
  it("tells what it changes, who is affected, what was said", async () => {
    show();
    const view = await screen.findByRole("region", { name: "Proposal orders needs the price" });
    expect(within(view).getByText("It asks for more than before.")).toBeInTheDocument();
    expect(within(view).getByText(/response\.body\.price: it is expected now/)).toBeInTheDocument();
    expect(within(view).getByText(/products 1\.2 \(production\)/)).toBeInTheDocument();
    expect(within(view).getByText("which currency?")).toBeInTheDocument();
    expect(within(view).getByRole("link", { name: "cdcdcdcdcdcd" })).toHaveAttribute(
      "href",
      "/contracts/proposals/p-0",
    );
  });

  it("is accepted with a token, which goes out with the answer and is then forgotten", async () => {
    const user = userEvent.setup();
    const fetch = show();
    const form = await screen.findByRole("form", { name: "Answer" });
    const accept = within(form).getByRole("button", { name: "Accept for products" });
    expect(accept).toBeDisabled();
    expect(within(form).getByRole("button", { name: "Reject" })).toBeDisabled();
    await user.type(within(form).getByLabelText("Your name"), "ada");
    await user.type(within(form).getByLabelText("Token"), "secret");
    await user.click(accept);
    const sent = () => fetch.mock.calls.find(([url]) => String(url).endsWith("/accept"));
    await waitFor(() => expect(sent()).toBeDefined());
    const init = sent()?.[1] as RequestInit;
    expect(init.method).toBe("POST");
    expect(init.headers).toMatchObject({
      authorization: "Bearer secret",
      "content-type": "application/json",
    });
    expect(JSON.parse(String(init.body))).toEqual({ who: "ada", reason: null });
    await waitFor(() => expect(within(form).getByLabelText("Token")).toHaveValue(""));
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain("secret");
  });

  it("says why an answer was refused", async () => {
    const user = userEvent.setup();
    show();
    const form = await screen.findByRole("form", { name: "Answer" });
    await user.type(within(form).getByLabelText("Token"), "wrong");
    await user.type(within(form).getByLabelText("Reason"), "no");
    await user.click(within(form).getByRole("button", { name: "Reject" }));
    expect(await within(form).findByRole("alert")).toHaveTextContent("Not answered: there is no");
  });

  it("leads to the pull request where the provider accepts by merging", async () => {
    show({ mode: "repository" });
    const view = await screen.findByRole("region", { name: "Proposal orders needs the price" });
    expect(within(view).getByText(/products accepts in its repository/)).toBeInTheDocument();
    expect(within(view).getByRole("link", { name: "the pull request" })).toHaveAttribute(
      "href",
      "https://git.example.org/products/pull/7",
    );
    expect(screen.queryByRole("form", { name: "Answer" })).toBeNull();
  });

  it("that is decided has no form", async () => {
    show({ state: "enforced" });
    await screen.findByRole("region", { name: "Proposal orders needs the price" });
    expect(screen.queryByRole("form", { name: "Answer" })).toBeNull();
  });
});
