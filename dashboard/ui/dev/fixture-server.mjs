// A small stand-in for tracepact while working on the pages: `npm run fixtures`, then `npm run dev`, or open this
// server itself after `npm run build`. The product is never tested against it.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { answers } from "./fixtures.mjs";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const types = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html" };
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/tracepact/v1/events/stream") {
    response
      .writeHead(200, { "content-type": "text/event-stream" })
      .write('event: changed\ndata: {"version":1}\n\n');
    return;
  }
  if (url.pathname.startsWith("/tracepact/")) {
    const answer = answers(url);
    response.writeHead(answer ? 200 : 404, {
      "content-type": answer ? "application/json" : "application/problem+json",
    });
    response.end(
      JSON.stringify(
        answer ?? {
          title: "The named thing does not exist",
          detail: `there is no ${url.pathname}`,
          code: "TP-NOT-FOUND",
        },
      ),
    );
    return;
  }
  const wanted = normalize(url.pathname);
  const file = join(dist, wanted.startsWith("/assets/") || wanted === "/favicon.svg" ? wanted : "index.html");
  if (!existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    "content-type": types[extname(file)] ?? "text/plain",
    "content-security-policy": policy,
  });
  createReadStream(file).pipe(response);
}).listen(Number(process.env.PORT ?? 9411), "127.0.0.1", () =>
  console.log(`fixtures at http://127.0.0.1:${process.env.PORT ?? 9411}`),
);
