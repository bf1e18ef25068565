package clients;

import brave.Tracing;
import brave.handler.MutableSpan;
import brave.handler.SpanHandler;
import brave.propagation.TraceContext;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import zipkin2.codec.SpanBytesEncoder;
import zipkin2.reporter.Encoding;
import zipkin2.reporter.brave.AsyncZipkinSpanHandler;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/** Sends one span with the unmodified client of a protocol: PROTOCOL ENDPOINT SERVICE. Prints its trace id. */
public final class Send {
  private Send() {}

  public static void main(String[] args) throws Exception {
    String protocol = args[0];
    String endpoint = args[1];
    String service = args[2];
    String traceId =
        switch (protocol) {
          case "grpc" -> otlp(OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).build(), service);
          case "grpc-gzip" ->
              otlp(
                  OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).setCompression("gzip").build(),
                  service);
          case "http" ->
              otlp(
                  OtlpHttpSpanExporter.builder().setEndpoint(endpoint).setCompression("gzip").build(),
                  service);
          case "brave-json" -> brave(endpoint, service, Encoding.JSON);
          case "brave-proto3" -> brave(endpoint, service, Encoding.PROTO3);
          case "v1-json" -> reporter(endpoint, service, Encoding.JSON, SpanBytesEncoder.JSON_V1);
          case "v1-thrift" -> reporter(endpoint, service, Encoding.THRIFT, SpanBytesEncoder.THRIFT);
          default -> throw new IllegalArgumentException(protocol);
        };
    System.out.println(traceId);
  }

  /** The exporter is called directly, so that its own verdict is the exit code. */
  private static String otlp(SpanExporter exporter, String service) {
    List<SpanData> ended = new ArrayList<>();
    var provider =
        SdkTracerProvider.builder()
            .setResource(Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), service)))
            .build();
    var span = provider.get("client").spanBuilder("checkout").setAttribute("cart.items", 3).startSpan();
    span.addEvent("paid");
    span.end();
    ended.add(((io.opentelemetry.sdk.trace.ReadableSpan) span).toSpanData());
    if (!exporter.export(ended).join(20, TimeUnit.SECONDS).isSuccess()) {
      throw new IllegalStateException("the exporter gave up");
    }
    return span.getSpanContext().getTraceId();
  }

  private static String brave(String endpoint, String service, Encoding encoding) throws Exception {
    try (var sender = URLConnectionSender.newBuilder().endpoint(endpoint).encoding(encoding).build();
        var handler = AsyncZipkinSpanHandler.create(sender)) {
      String id = span(service, handler);
      handler.flush();
      return id;
    }
  }

  /** The encodings of old reporters, which Brave itself does not write any more. */
  private static String reporter(
      String endpoint, String service, Encoding encoding, SpanBytesEncoder encoder) throws Exception {
    try (var sender = URLConnectionSender.newBuilder().endpoint(endpoint).encoding(encoding).build()) {
      String[] id = new String[1];
      List<byte[]> encoded = new ArrayList<>();
      id[0] =
          span(
              service,
              new SpanHandler() {
                @Override
                public boolean end(TraceContext context, MutableSpan span, Cause cause) {
                  encoded.add(
                      encoder.encode(
                          zipkin2.Span.newBuilder()
                              .traceId(span.traceId())
                              .id(span.id())
                              .name(span.name())
                              .timestamp(span.startTimestamp())
                              .duration(Math.max(1, span.finishTimestamp() - span.startTimestamp()))
                              .localEndpoint(zipkin2.Endpoint.newBuilder().serviceName(service).build())
                              .putTag("cart.items", "3")
                              .addAnnotation(span.startTimestamp(), "paid")
                              .build()));
                  return true;
                }
              });
      sender.send(encoded);
      return id[0];
    }
  }

  private static String span(String service, SpanHandler handler) {
    try (var tracing =
        Tracing.newBuilder().localServiceName(service).traceId128Bit(true).addSpanHandler(handler).build()) {
      var span = tracing.tracer().newTrace().name("checkout").start();
      span.tag("cart.items", "3");
      span.annotate("paid");
      span.finish();
      return span.context().traceIdString();
    }
  }
}
