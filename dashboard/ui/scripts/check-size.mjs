// Fails the build when what the browser loads first outgrows its budget.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const budgets = { js: 100 * 1024, css: 20 * 1024 };
const assets = new URL("../dist/assets/", import.meta.url);
const sizes = { js: 0, css: 0 };
for (const name of readdirSync(assets)) {
  const kind = name.split(".").pop();
  if (kind in sizes) sizes[kind] += gzipSync(readFileSync(new URL(name, assets))).length;
}
for (const [kind, budget] of Object.entries(budgets)) {
  const line = `${kind}: ${(sizes[kind] / 1024).toFixed(1)} KB gzip of ${budget / 1024} KB`;
  if (sizes[kind] > budget) {
    console.error(`${line}: over budget`);
    process.exitCode = 1;
  } else {
    console.log(line);
  }
}
