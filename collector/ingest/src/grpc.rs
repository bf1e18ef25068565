//! gRPC: OTLP's `TraceService` and `MetricsService`, Zipkin's `SpanService`.
//!
//! Generated services would hand over a decoded message; the log needs the bytes, and the codec of `model` decodes them
//! once within its limits. So all are unary services over raw messages.

mod raw;

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::Response;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::SERVICE_NAME as METRICS;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::SERVICE_NAME as TRACES;
use tonic::server::NamedService;
use tracepact_listener::{Routes, Scope};

use crate::http_otlp::{metrics_response, trace_response};
use crate::{Format, Ingest, Origin, Refusal};

/// OTLP's receivers over gRPC.
pub fn grpc_routes(ingest: Ingest) -> Routes {
    Routes::new("otlp")
        .grpc(Scope::Ingest, TraceService { ingest: ingest.clone() })
        .grpc(Scope::Ingest, MetricsService { ingest })
}

/// Zipkin's receiver over gRPC.
pub fn zipkin_grpc_routes(ingest: Ingest) -> Routes {
    Routes::new("zipkin").grpc(Scope::Ingest, SpanService { ingest })
}

#[derive(Clone)]
struct TraceService {
    ingest: Ingest,
}

impl NamedService for TraceService {
    const NAME: &'static str = TRACES;
}

impl raw::Unary for TraceService {
    const METHOD: &'static str = "Export";
    const FORMAT: Format = Format::OtlpProto;
    type Answer = ExportTraceServiceResponse;

    fn ingest(&self) -> &Ingest {
        &self.ingest
    }

    async fn take(&self, origin: Origin, body: Bytes) -> Result<Self::Answer, Refusal> {
        let accepted = self.ingest.spans(origin, body).await?;
        Ok(trace_response(&accepted))
    }
}

#[derive(Clone)]
struct MetricsService {
    ingest: Ingest,
}

impl NamedService for MetricsService {
    const NAME: &'static str = METRICS;
}

impl raw::Unary for MetricsService {
    const METHOD: &'static str = "Export";
    const FORMAT: Format = Format::OtlpProto;
    type Answer = ExportMetricsServiceResponse;

    fn ingest(&self) -> &Ingest {
        &self.ingest
    }

    async fn take(&self, origin: Origin, body: Bytes) -> Result<Self::Answer, Refusal> {
        let taken = self.ingest.metric_points(origin, body).await?;
        Ok(metrics_response(&taken))
    }
}

/// `zipkin.proto3.SpanService`: a `ListOfSpans` in, an empty message out.
#[derive(Clone)]
struct SpanService {
    ingest: Ingest,
}

impl NamedService for SpanService {
    const NAME: &'static str = "zipkin.proto3.SpanService";
}

impl raw::Unary for SpanService {
    const METHOD: &'static str = "Report";
    const FORMAT: Format = Format::ZipkinProto3;
    /// `ReportResponse` has no fields.
    type Answer = ();

    fn ingest(&self) -> &Ingest {
        &self.ingest
    }

    async fn take(&self, origin: Origin, body: Bytes) -> Result<(), Refusal> {
        let accepted = self.ingest.spans(origin, body).await?;
        // The answer has no place for spans that were refused; a request of nothing else is an error.
        accepted.refusal().map_or(Ok(()), Err)
    }
}

macro_rules! unary_service {
    ($($service:ty),*) => {$(
        impl tower::Service<Request> for $service {
            type Response = Response<tonic::body::Body>;
            type Error = Infallible;
            type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<Body>) -> Self::Future {
                Box::pin(raw::serve(self.clone(), request))
            }
        }
    )*};
}
unary_service!(TraceService, MetricsService, SpanService);
