// Usable by everyone: no serious finding of axe on any page in either theme, and the whole way by keyboard.

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { facts } from "./facts";

const refused = new URLSearchParams(facts.refused);
const pages = {
  overview: "",
  traces: `traces?${facts.order.search}`,
  trace: `traces/${facts.order.trace_id}`,
  breakers: "breakers",
  messages: "messages",
  contracts: `contracts?${refused}`,
  "missing trace": "traces/00000000000000000000000000000001",
};

async function settled(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText(/^Loading /)).toHaveCount(0);
}

async function serious(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  return found.violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.help} at ${v.nodes.map((n) => n.target.join(" ")).join("; ")}`);
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });
    for (const [name, path] of Object.entries(pages)) {
      test(`${name} has no serious finding`, async ({ page }) => {
        await page.goto(path);
        await settled(page);
        expect(await serious(page)).toEqual([]);
      });
    }
    test("span details and the keyboard help have no serious finding", async ({ page }) => {
      await page.goto(`traces/${facts.order.trace_id}`);
      await page.getByRole("treegrid").getByRole("row").nth(1).click();
      await expect(page.getByRole("region", { name: "Span details" })).toBeVisible();
      expect(await serious(page)).toEqual([]);
      await page.keyboard.press("?");
      await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
      expect(await serious(page)).toEqual([]);
    });
  });
}

test("nothing scrolls sideways at 320 pixels", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 700 });
  for (const path of Object.values(pages)) {
    await page.goto(path);
    await settled(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(320);
  }
});

test("from the overview to a consumer's details and the gate's answer without a mouse", async ({ page }) => {
  await page.goto("");
  await settled(page);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox")).toBeFocused();
  await page.keyboard.type(facts.order.trace_id);
  await page.keyboard.press("Enter");
  const grid = page.getByRole("treegrid", { name: "Spans" });
  await expect(grid).toBeVisible();

  // One tab stop in the grid: from the content it is reached by Tab, and its rows by arrows.
  const focused = grid.locator('[role="row"]:focus');
  for (let n = 0; n < 20 && (await focused.count()) === 0; n++) await page.keyboard.press("Tab");
  await expect(focused).toHaveAttribute("aria-level", "1");
  for (let n = 0; n < 200; n++) {
    if (/, consumer, /.test((await focused.getAttribute("aria-label")) ?? "")) break;
    await page.keyboard.press("ArrowDown");
  }
  await expect(focused).toHaveAttribute("aria-label", /, consumer, /);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Span details" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(focused).toHaveAttribute("aria-label", /, consumer, /);
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowLeft");
  await expect(focused).toHaveAttribute("aria-expanded", "false");

  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await expect(page.getByRole("heading", { level: 1, name: "Contracts" })).toBeVisible();
  const form = page.getByRole("form", { name: "Can I deploy" });
  await form.getByRole("combobox").first().focus();
  for (const text of [facts.refused.pacticipant, facts.refused.version, facts.refused.environment]) {
    await page.keyboard.type(text);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await expect(page.locator(".verdict .state")).toHaveText(/no|unknown/);
});
