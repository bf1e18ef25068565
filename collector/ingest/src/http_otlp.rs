//! OTLP over HTTP: `POST /v1/traces` and `POST /v1/metrics`, in protobuf.

use axum::body::Body;
use axum::extract::{Request, State};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use tracepact_base::ErrorKind;
use tracepact_listener::{Routes, Scope, body};

use crate::http_zipkin::media_type;
use crate::{Accepted, Format, Ingest, Refusal, Transport, otlp_metrics};

const PROTOBUF: &str = "application/x-protobuf";
/// JSON is named as well, so that the refusal can say what to send.
const MEDIA_TYPES: &[&str] = &[PROTOBUF, "application/json"];

/// OTLP's receivers over HTTP.
pub fn otlp_routes(ingest: Ingest) -> Routes {
    Routes::new("otlp")
        .post("/v1/traces", Scope::Ingest, traces)
        .cors_any()
        .accepts(MEDIA_TYPES)
        .post("/v1/metrics", Scope::Ingest, metrics)
        .accepts(MEDIA_TYPES)
        .with_state(ingest)
}

async fn traces(State(ingest): State<Ingest>, request: Request) -> Response<Body> {
    let taken = async {
        let body = read(&ingest, request).await?;
        ingest.spans(Transport::Http, Format::OtlpProto, body).await
    };
    match taken.await {
        Ok(accepted) => message(&trace_response(&accepted)),
        Err(refusal) => refusal.to_otlp_http(),
    }
}

async fn metrics(State(ingest): State<Ingest>, request: Request) -> Response<Body> {
    let taken = async {
        let body = read(&ingest, request).await?;
        ingest.metric_points(Transport::Http, Format::OtlpProto, body).await
    };
    match taken.await {
        Ok(taken) => message(&metrics_response(&taken)),
        Err(refusal) => refusal.to_otlp_http(),
    }
}

async fn read(ingest: &Ingest, request: Request) -> Result<Bytes, Refusal> {
    let media = media_type(&request);
    let read = if media == PROTOBUF {
        body::read(request, ingest.config().body).await.map_err(Refusal::from)
    } else {
        Err(Refusal {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ..Refusal::new(
                ErrorKind::Invalid,
                format!(
                    "OTLP is read as {PROTOBUF} here, not as {media:?}: set the exporter's protocol to http/protobuf"
                ),
                std::time::Duration::ZERO,
            )
        })
    };
    if let Err(refusal) = &read {
        ingest.refused_unread(Transport::Http, Format::OtlpProto, refusal);
    }
    read
}

fn message(message: &impl Message) -> Response<Body> {
    let mut response = Response::new(Body::from(message.encode_to_vec()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
    response
}

/// The answer to spans that were taken. `partial_success` is set only when there is something to say.
pub(crate) fn trace_response(accepted: &Accepted) -> ExportTraceServiceResponse {
    let rejected = accepted.refused.total();
    ExportTraceServiceResponse {
        partial_success: (rejected > 0).then(|| ExportTracePartialSuccess {
            rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
            error_message: accepted.refused.message(),
        }),
    }
}

/// The answer to metrics that were taken.
pub(crate) fn metrics_response(taken: &otlp_metrics::Taken) -> ExportMetricsServiceResponse {
    ExportMetricsServiceResponse {
        partial_success: (taken.rejected > 0).then(|| ExportMetricsPartialSuccess {
            rejected_data_points: i64::try_from(taken.rejected).unwrap_or(i64::MAX),
            error_message: taken.message.clone(),
        }),
    }
}
