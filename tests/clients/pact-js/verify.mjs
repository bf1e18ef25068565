// Verifies `catalog` with the unmodified pact-js: verify.mjs BROKER PROVIDER_URL VERSION. Exit code 1 when the build fails.

import { Verifier } from "@pact-foundation/pact";

const [pactBrokerUrl, providerBaseUrl, providerVersion] = process.argv.slice(2);
try {
  const output = await new Verifier({
    provider: "catalog",
    providerBaseUrl,
    pactBrokerUrl,
    providerVersion,
    providerVersionBranch: "main",
    consumerVersionSelectors: [{ mainBranch: true }, { deployedOrReleased: true }],
    enablePending: true,
    publishVerificationResult: true,
    logLevel: "error",
  }).verifyProvider();
  console.log(output);
} catch (error) {
  console.error("the build fails:", error.message);
  process.exit(1);
}
