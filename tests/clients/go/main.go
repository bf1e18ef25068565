// Sends one span with the unmodified exporter of a protocol: PROTOCOL ENDPOINT SERVICE. Prints its trace id.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	if err := send(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func send(protocol, endpoint, service string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var exporter sdktrace.SpanExporter
	var err error
	switch protocol {
	case "grpc":
		exporter, err = otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(endpoint), otlptracegrpc.WithCompressor("gzip"))
	case "http":
		exporter, err = otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	default:
		err = fmt.Errorf("unknown protocol %s", protocol)
	}
	if err != nil {
		return err
	}
	// Each span is exported as it ends, and a failure is returned by Shutdown or printed by the error handler.
	recorder := &verdict{SpanExporter: exporter}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSyncer(recorder),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", service))),
	)
	_, span := provider.Tracer("client").Start(ctx, "checkout")
	span.SetAttributes(attribute.Int("cart.items", 3))
	span.AddEvent("paid")
	span.End()
	if err := provider.Shutdown(ctx); err != nil {
		return err
	}
	if recorder.err != nil {
		return recorder.err
	}
	fmt.Println(span.SpanContext().TraceID())
	return nil
}

// verdict remembers what the exporter said.
type verdict struct {
	sdktrace.SpanExporter
	err error
}

func (v *verdict) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := v.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		v.err = err
	}
	return err
}
