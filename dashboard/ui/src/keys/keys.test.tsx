import { render, screen } from "@testing-library/preact";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { serve } from "../../test/api";
import { App } from "../app";
import { setLetters } from "./keys";

beforeEach(() => {
  serve({});
  // jsdom has no modal dialogs; what matters here is that it is open.
  HTMLDialogElement.prototype.showModal = function show() {
    this.setAttribute("open", "");
  };
});

afterEach(() => {
  vi.unstubAllGlobals();
  setLetters(true);
});

describe("shortcuts", () => {
  it("go to pages with two keys", async () => {
    const user = userEvent.setup();
    render(<App />);
    await user.keyboard("gb");
    expect(await screen.findByRole("heading", { name: "Breakers", level: 1 })).toBeInTheDocument();
    await user.keyboard("gc");
    expect(await screen.findByRole("heading", { name: "Contracts", level: 1 })).toBeInTheDocument();
  });

  it("focus the search, and are silent while typing", async () => {
    const user = userEvent.setup();
    render(<App />);
    await user.keyboard("/");
    const search = screen.getByRole("searchbox");
    expect(search).toHaveFocus();
    await user.keyboard("gb");
    expect(search).toHaveValue("gb");
    expect(screen.getByRole("heading", { name: "Overview", level: 1 })).toBeInTheDocument();
  });

  it("are listed by ? exactly as they are bound", async () => {
    const user = userEvent.setup();
    render(<App />);
    await user.keyboard("?");
    const help = await screen.findByRole("dialog", { name: "Keyboard" });
    expect(help).toHaveTextContent("gbgo to breakers");
    expect(help).toHaveTextContent("/find a trace or service");
  });

  it("can be switched off", async () => {
    const user = userEvent.setup();
    setLetters(false);
    render(<App />);
    await user.keyboard("gb");
    expect(screen.getByRole("heading", { name: "Overview", level: 1 })).toBeInTheDocument();
  });

  it("open a trace by its id from anywhere", async () => {
    const user = userEvent.setup();
    render(<App />);
    await user.keyboard("/463ac35c9f6413ad{Enter}");
    expect(window.location.pathname).toBe("/traces/463ac35c9f6413ad");
    await user.keyboard("/orders{Enter}");
    expect(window.location.search).toBe("?service=orders");
  });
});
