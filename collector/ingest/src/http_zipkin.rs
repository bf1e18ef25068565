//! `POST /api/v2/spans`, and the same under `/zipkin`: 202 with an empty body once the spans are durable.

use axum::body::Body;
use axum::extract::{Request, State};
use http::{HeaderValue, Response, StatusCode, header};
use tracepact_base::ErrorKind;
use tracepact_listener::{Routes, Scope, body};

use crate::{Format, Ingest, Refusal, Transport};

/// Media types a reporter may name.
const MEDIA_TYPES: &[&str] = &["application/json", "application/x-protobuf", "application/x-thrift"];

/// How many spans of an accepted list were not kept (started too long ago, or too far ahead): Zipkin's protocol has no
/// place for it.
const REFUSED_HEADER: &str = "tracepact-refused-spans";

/// Zipkin's receivers.
pub fn zipkin_routes(ingest: Ingest) -> Routes {
    Routes::new("zipkin")
        .post("/api/v2/spans", Scope::Ingest, spans)
        .cors_any()
        .accepts(MEDIA_TYPES)
        .content_type_optional()
        .also_under("/zipkin")
        .with_state(ingest)
}

async fn spans(State(ingest): State<Ingest>, request: Request) -> Response<Body> {
    match take(&ingest, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.to_zipkin_http(),
    }
}

async fn take(ingest: &Ingest, request: Request) -> Result<Response<Body>, Refusal> {
    let (transport, format) = (Transport::Http, Format::ZipkinJson);
    let media = media_type(&request);
    if media != "application/json" && !media.is_empty() {
        let refusal = Refusal {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ..Refusal::new(
                ErrorKind::Invalid,
                format!("{media} is not read here: send Zipkin v2 JSON as application/json"),
                std::time::Duration::ZERO,
            )
        };
        ingest.refused_unread(transport, format, &refusal);
        return Err(refusal);
    }
    let body = body::read(request, ingest.config().body).await.map_err(|problem| {
        let refusal = Refusal::from(problem);
        ingest.refused_unread(transport, format, &refusal);
        refusal
    })?;
    let accepted = ingest.spans(transport, format, body).await?;
    let refused = accepted.refused.total();
    if refused > 0 && accepted.accepted == 0 {
        return Err(Refusal::new(ErrorKind::Invalid, accepted.refused.message(), std::time::Duration::ZERO));
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    if refused > 0 {
        response.headers_mut().insert(REFUSED_HEADER, HeaderValue::from(refused));
        tracing::warn!(refused, reason = %accepted.refused.message(), "spans of a Zipkin list were not kept");
    }
    Ok(response)
}

/// The media type named by the request, in lower case and without parameters; empty when there is none.
pub(crate) fn media_type(request: &Request) -> String {
    let value =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}
