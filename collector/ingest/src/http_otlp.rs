//! OTLP over HTTP: `POST /v1/traces` in protobuf and JSON, `POST /v1/metrics` in protobuf. Answers are in the encoding of
//! the request.

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
use crate::{Accepted, Format, Ingest, Origin, Refusal, Transport, otlp_metrics};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// JSON is named for metrics as well, so that the refusal can say what to send.
const MEDIA_TYPES: &[&str] = &[PROTOBUF, JSON];

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
    let media = media_type(&request);
    let format = if media == JSON { Format::OtlpJson } else { Format::OtlpProto };
    let origin = Origin::of(&request, Transport::Http, format);
    let taken = async {
        if media != PROTOBUF && media != JSON {
            return Err(unsupported(
                &ingest,
                &origin,
                format!(
                    "OTLP is read as {PROTOBUF} or {JSON} here, not as {media:?}: set the exporter's protocol to http/protobuf"
                ),
            ));
        }
        let body = read(&ingest, &origin, request).await?;
        ingest.spans(origin, body).await
    };
    match (taken.await, format) {
        (Ok(accepted), Format::OtlpJson) => json(trace_response_json(&accepted)),
        (Ok(accepted), _) => message(&trace_response(&accepted)),
        (Err(refusal), Format::OtlpJson) => refusal.to_otlp_json(),
        (Err(refusal), _) => refusal.to_otlp_http(),
    }
}

async fn metrics(State(ingest): State<Ingest>, request: Request) -> Response<Body> {
    let media = media_type(&request);
    let origin = Origin::of(&request, Transport::Http, Format::OtlpProto);
    let taken = async {
        if media != PROTOBUF {
            return Err(unsupported(
                &ingest,
                &origin,
                format!(
                    "OTLP metrics are read as {PROTOBUF} here, not as {media:?}: set the exporter's protocol to http/protobuf"
                ),
            ));
        }
        let body = read(&ingest, &origin, request).await?;
        ingest.metric_points(origin, body).await
    };
    match taken.await {
        Ok(taken) => message(&metrics_response(&taken)),
        Err(refusal) if media == JSON => refusal.to_otlp_json(),
        Err(refusal) => refusal.to_otlp_http(),
    }
}

fn unsupported(ingest: &Ingest, origin: &Origin, reason: String) -> Refusal {
    let refusal = Refusal {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ..Refusal::new(ErrorKind::Invalid, reason, std::time::Duration::ZERO)
    };
    ingest.refused_unread(origin, &refusal);
    refusal
}

async fn read(ingest: &Ingest, origin: &Origin, request: Request) -> Result<Bytes, Refusal> {
    let read = body::read(request, ingest.config().body).await.map_err(Refusal::from);
    if let Err(refusal) = &read {
        ingest.refused_unread(origin, refusal);
    }
    read
}

fn message(message: &impl Message) -> Response<Body> {
    let mut response = Response::new(Body::from(message.encode_to_vec()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
    response
}

fn json(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

/// Like [`trace_response`], in JSON; 64-bit numbers are quoted there.
fn trace_response_json(accepted: &Accepted) -> String {
    match trace_response(accepted).partial_success {
        None => "{}".to_owned(),
        Some(partial) => serde_json::json!({
            "partialSuccess": {
                "rejectedSpans": partial.rejected_spans.to_string(),
                "errorMessage": partial.error_message,
            }
        })
        .to_string(),
    }
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
