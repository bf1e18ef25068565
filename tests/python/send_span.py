"""Sends one span with the unmodified exporter of a protocol: send_span.py PROTOCOL ENDPOINT SERVICE. Prints its trace id."""

import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

protocol, endpoint, service = sys.argv[1:]
if protocol == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=endpoint, insecure=True)
elif protocol == "http":
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=endpoint, compression=Compression.Gzip)
else:
    from opentelemetry.exporter.zipkin.json import ZipkinExporter

    exporter = ZipkinExporter(endpoint=endpoint)

tracer = TracerProvider(resource=Resource.create({"service.name": service})).get_tracer("client")
span = tracer.start_span("checkout", attributes={"cart.items": 3})
span.add_event("paid")
span.end()
# The exporter is called directly, so that its own verdict is the exit code.
if exporter.export([span]) is not SpanExportResult.SUCCESS:
    sys.exit("the exporter gave up")
print(format(span.get_span_context().trace_id, "032x"))
