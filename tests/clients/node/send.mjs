// Sends one span with the unmodified exporter of a protocol: PROTOCOL ENDPOINT SERVICE. Prints its trace id.

import { resourceFromAttributes } from "@opentelemetry/resources";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const [protocol, url, service] = process.argv.slice(2);
const exporters = {
  // JSON, where the others write protobuf.
  json: async () => new (await import("@opentelemetry/exporter-trace-otlp-http")).OTLPTraceExporter({ url }),
  http: async () => new (await import("@opentelemetry/exporter-trace-otlp-proto")).OTLPTraceExporter({ url }),
  grpc: async () => new (await import("@opentelemetry/exporter-trace-otlp-grpc")).OTLPTraceExporter({ url }),
  zipkin: async () => new (await import("@opentelemetry/exporter-zipkin")).ZipkinExporter({ url }),
};
const exporter = await exporters[protocol]();
const provider = new NodeTracerProvider({ resource: resourceFromAttributes({ "service.name": service }) });
const span = provider.getTracer("client").startSpan("checkout", { attributes: { "cart.items": 3 } });
span.addEvent("paid");
span.end();
// The exporter is called directly, so that its own verdict is the exit code.
const result = await new Promise((resolve) => exporter.export([span], resolve));
await exporter.shutdown();
if (result.code !== 0) {
  console.error("the exporter gave up", result.error);
  process.exit(1);
}
console.log(span.spanContext().traceId);
