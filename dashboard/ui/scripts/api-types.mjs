// Writes src/api/schema.d.ts from the committed API description; with --check only says whether it is current.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const description = new URL("../../../docs/openapi.json", import.meta.url);
const target = fileURLToPath(new URL("../src/api/schema.d.ts", import.meta.url));
const head = "// Generated from docs/openapi.json by `npm run types`. Do not edit.\n\n";

if (!existsSync(description)) {
  console.log("docs/openapi.json does not exist yet: nothing to compare the API types with");
} else {
  const wanted = head + astToString(await openapiTS(description));
  const current = existsSync(target) ? readFileSync(target, "utf8") : "";
  if (!process.argv.includes("--check")) {
    writeFileSync(target, wanted);
  } else if (wanted !== current) {
    console.error("src/api/schema.d.ts does not match docs/openapi.json: run `npm run types`");
    process.exitCode = 1;
  }
}
