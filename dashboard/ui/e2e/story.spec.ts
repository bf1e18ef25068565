// What happened to the services stands on the pages.

import { expect, type Page, test } from "@playwright/test";
import { facts } from "./facts";

/** Whatever the browser refused to load or run; a page that needs another origin fails here. */
async function watch(page: Page): Promise<string[]> {
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Refused to/.test(message.text()))
      wrong.push(message.text());
  });
  page.on("request", (request) => {
    const origin = new URL(process.env.TRACEPACT_URL ?? "").origin;
    if (/^https?:/.test(request.url()) && new URL(request.url()).origin !== origin)
      wrong.push(`asked ${request.url()}`);
  });
  return wrong;
}

test("an order's trace is found, opened, and its Kafka consumers stand at the right depth", async ({
  page,
}) => {
  const wrong = await watch(page);
  await page.goto(`traces?${facts.order.search}`);
  const link = page.locator(`a[href$="/traces/${facts.order.trace_id}"]`);
  await expect(link).toBeVisible();
  await link.click();

  const grid = page.getByRole("treegrid", { name: "Spans" });
  await expect(grid).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`/traces/${facts.order.trace_id}$`));
  const consumers = grid.getByRole("row", { name: /, consumer, / });
  await expect(consumers).toHaveCount(facts.order.consumers.length);
  const found = await consumers.evaluateAll((rows) =>
    rows.map(
      (row) => `${(row.getAttribute("aria-label") ?? "").split(" ")[0]} at ${row.getAttribute("aria-level")}`,
    ),
  );
  expect(found.sort()).toEqual(facts.order.consumers.map((c) => `${c.service} at ${c.level}`).sort());

  // The header counts what the rows show, and each row is indented by its level.
  const spans = await page.locator("dl.facts div", { hasText: "Spans" }).locator("dd").textContent();
  await expect(grid).toHaveAttribute("aria-rowcount", String(Number((spans ?? "").replace(/\D/g, "")) + 1));
  const indents = await grid
    .locator('[role="row"][aria-level]')
    .evaluateAll((rows) =>
      rows.map((row) => [
        Number(row.getAttribute("aria-level")),
        row.querySelector(".indent")?.getBoundingClientRect().width,
      ]),
    );
  for (const [level, width] of indents) expect(width).toBe(((level ?? 1) - 1) * 14);

  await consumers.first().click();
  await expect(page.getByRole("region", { name: "Span details" })).toContainText(/kind\s*consumer/i);
  await page.reload();
  await expect(page.getByRole("region", { name: "Span details" })).toContainText(/kind\s*consumer/i);
  expect(wrong).toEqual([]);
});

test("the open breaker is on its page and on the overview, with what led to it", async ({ page }) => {
  await page.goto("");
  await expect(
    page.locator(".problems li", { hasText: `breaker ${facts.breaker.name}` }).first(),
  ).toContainText("open");
  await page
    .locator(".problems li", { hasText: `breaker ${facts.breaker.name}` })
    .first()
    .getByRole("link", { name: "breaker" })
    .click();
  const table = page.getByRole("region", { name: "Circuit breakers" });
  const row = table
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader", { name: facts.breaker.name, exact: true }) })
    .first();
  await expect(row).toContainText(facts.breaker.service);
  await expect(row.locator(".state").first()).toHaveText(/^(forced )?open$/);
  await expect(
    table.getByRole("list", { name: new RegExp(`Transitions of ${facts.breaker.name}`) }).first(),
  ).toContainText(/→ open.*because/);
});

test("the lag is on its page, in messages and in time, down to the partition", async ({ page }) => {
  await page.goto(
    `messages?group=${encodeURIComponent(facts.lag.group)}&topic=${encodeURIComponent(facts.lag.topic)}`,
  );
  const table = page.getByRole("region", { name: "Consumer lag" });
  const row = table
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader", { name: new RegExp(`^${facts.lag.group}`) }) })
    .first();
  await expect(row).toContainText(facts.lag.topic);
  await expect(row.locator("td.num").first()).toHaveText(/^[1-9][\d,]*$/);
  await row
    .getByText(/partition/)
    .first()
    .click();
  await expect(row.getByRole("columnheader", { name: "Committed" })).toBeVisible();
});

test("the lost message is on its page and leads to its trace", async ({ page }) => {
  await page.goto("messages?verdict=lost");
  const table = page.getByRole("region", { name: "Messages" });
  const row = table
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader", { name: facts.lost.key, exact: true }) });
  await expect(row.locator(".state")).toHaveText("lost");
  await row.getByRole("link").click();
  await expect(page).toHaveURL(new RegExp(`/traces/${facts.lost.trace_id}`));
  await expect(page.getByRole("treegrid", { name: "Spans" })).toBeVisible();
});

test("the refused deploy is on its page, with the reason, and asking again says no", async ({ page }) => {
  const { pacticipant, version, environment } = facts.refused;
  await page.goto("contracts");
  const table = page.getByRole("region", { name: "Answers of the gate" });
  const row = table.getByRole("row", { name: `${pacticipant} ${version} to ${environment}` }).first();
  await expect(row.locator(".state")).toHaveText(/no|unknown/);
  await row.getByRole("link", { name: "ask again" }).click();
  const answer = page.locator(".verdict");
  await expect(answer).toContainText(version);
  await expect(answer.locator(".state")).toHaveText(/no|unknown/);
  await expect(page.getByRole("region", { name: "What the answer rests on" })).toContainText(
    /broken|unverified/,
  );
});

test("what does not exist says so", async ({ page }) => {
  await page.goto("traces/00000000000000000000000000000001");
  await expect(page.getByRole("heading", { name: /There is no trace/ })).toBeVisible();
  const asset = await page.request.get("assets/index-00000000.js");
  expect(asset.status()).toBe(404);
});
