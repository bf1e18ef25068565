// A consumer's test with the unmodified pact-js: consume.mjs FOLDER. Writes the contract of `web-js` and `catalog` there.

import { MatchersV3, PactV3 } from "@pact-foundation/pact";

const [dir] = process.argv.slice(2);
const pact = new PactV3({ consumer: "web-js", provider: "catalog", dir, logLevel: "error" });
pact
  .uponReceiving("an item is read")
  .withRequest({ method: "GET", path: "/item/1" })
  .willRespondWith({
    status: 200,
    headers: { "Content-Type": "application/json" },
    body: { id: MatchersV3.integer(1), name: "tea" },
  });
await pact.executeTest(async (server) => {
  const answer = await fetch(`${server.url}/item/1`);
  if ((await answer.json()).name !== "tea") throw new Error("the consumer did not get its item");
});
