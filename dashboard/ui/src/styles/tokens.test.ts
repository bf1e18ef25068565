import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync("src/styles/tokens.css", "utf8");
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    (m) => [m[1] as string, { light: m[2] as string, dark: m[3] as string }] as const,
  ),
);

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

const text: [string, string[]][] = [
  ["text", ["ground", "raised", "hover", "selected", "ok-ground", "warn-ground", "bad-ground"]],
  ["text-soft", ["ground", "raised", "hover", "selected", "warn-ground", "bad-ground"]],
  ["link", ["ground", "raised", "hover", "bad-ground", "warn-ground"]],
  ["ok", ["ground", "raised", "hover", "ok-ground"]],
  ["warn", ["ground", "raised", "hover", "warn-ground"]],
  ["bad", ["ground", "raised", "hover", "selected", "bad-ground"]],
  ["off", ["ground", "raised", "hover"]],
  ["brand-text", ["brand"]],
];
const graphics: [string, string[]][] = [
  ["focus", ["ground", "raised", "selected"]],
  ["line-strong", ["ground", "raised"]],
  ...Array.from({ length: 10 }, (_, n): [string, string[]] => [
    `series-${n}`,
    ["ground", "hover", "selected"],
  ]),
];

describe.each(["light", "dark"] as const)("contrast in %s", (theme) => {
  const colour = (name: string) => {
    const found = tokens.get(name);
    if (!found) throw new Error(`no token ${name}`);
    return found[theme];
  };
  it.each(text.flatMap(([fore, grounds]) => grounds.map((ground) => [fore, ground] as const)))(
    "%s on %s is readable",
    (fore, ground) => expect(contrast(colour(fore), colour(ground))).toBeGreaterThanOrEqual(4.5),
  );
  it.each(graphics.flatMap(([fore, grounds]) => grounds.map((ground) => [fore, ground] as const)))(
    "%s on %s is visible",
    (fore, ground) => expect(contrast(colour(fore), colour(ground))).toBeGreaterThanOrEqual(3),
  );
});
