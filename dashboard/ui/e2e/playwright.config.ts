import { defineConfig } from "@playwright/test";

const url = process.env.TRACEPACT_URL;
if (!url) throw new Error("TRACEPACT_URL is not set: the address of a running tracepact, see e2e/README.md");

export default defineConfig({
  testDir: ".",
  outputDir: process.env.E2E_OUTPUT ?? "../test-results",
  timeout: 60_000,
  expect: { timeout: 15_000 },
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: [["list"]],
  use: {
    baseURL: `${url.replace(/\/$/, "")}/`,
    viewport: { width: 1360, height: 850 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // Each run has a fresh profile of its own; the browser talks to nobody but the server under test.
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
