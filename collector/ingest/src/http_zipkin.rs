//! `POST /api/v2/spans` and `POST /api/v1/spans`, and the same under `/zipkin`: 202 with an empty body once the spans are
//! durable, 400 with Zipkin's words for a list in another encoding.

use axum::body::Body;
use axum::extract::{Request, State};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use tracepact_base::ErrorKind;
use tracepact_listener::{Routes, Scope, body};
use tracepact_model::expect_list;

use crate::{Accepted, Format, Ingest, Origin, Refusal, Transport};

/// Media types a reporter may name.
const MEDIA_TYPES: &[&str] = &["application/json", "application/x-protobuf", "application/x-thrift"];

/// How many spans of an accepted list were not kept (started too long ago, or too far ahead): Zipkin's protocol has no
/// place for it.
const REFUSED_HEADER: &str = "tracepact-refused-spans";

/// Zipkin's receivers.
pub fn zipkin_routes(ingest: Ingest) -> Routes {
    Routes::new("zipkin")
        .post("/api/v2/spans", Scope::Ingest, spans_v2)
        .cors_any()
        .accepts(MEDIA_TYPES)
        .content_type_optional()
        .post("/api/v1/spans", Scope::Ingest, spans_v1)
        .cors_any()
        .accepts(MEDIA_TYPES)
        .content_type_optional()
        .also_under("/zipkin")
        .with_state(ingest)
}

/// The same paths where the receivers are switched off: 404, as Zipkin answers then.
pub fn zipkin_disabled_routes() -> Routes {
    Routes::new("zipkin")
        .post("/api/v2/spans", Scope::Ingest, disabled)
        .cors_any()
        .accepts(MEDIA_TYPES)
        .content_type_optional()
        .post("/api/v1/spans", Scope::Ingest, disabled)
        .cors_any()
        .accepts(MEDIA_TYPES)
        .content_type_optional()
        .also_under("/zipkin")
}

async fn disabled() -> Response<Body> {
    let reason = "spans are not taken over HTTP here: ingest.zipkin_http is false";
    Refusal::new(ErrorKind::NotFound, reason, std::time::Duration::ZERO).to_zipkin_http()
}

async fn spans_v2(State(ingest): State<Ingest>, request: Request) -> Response<Body> {
    let format = match media_type(&request).as_str() {
        "application/x-protobuf" => Format::ZipkinProto3,
        _ => Format::ZipkinJson,
    };
    answer(&ingest, format, request).await
}

async fn spans_v1(State(ingest): State<Ingest>, request: Request) -> Response<Body> {
    let format = match media_type(&request).as_str() {
        "application/x-thrift" => Format::ZipkinThrift,
        _ => Format::ZipkinJsonV1,
    };
    answer(&ingest, format, request).await
}

async fn answer(ingest: &Ingest, format: Format, request: Request) -> Response<Body> {
    match take(ingest, format, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.to_zipkin_http(),
    }
}

async fn take(ingest: &Ingest, format: Format, request: Request) -> Result<Response<Body>, Refusal> {
    let origin = Origin::of(&request, Transport::Http, format);
    let unread = |refusal: Refusal| {
        ingest.refused_unread(&origin, &refusal);
        refusal
    };
    let media = media_type(&request);
    if !media.is_empty() && !MEDIA_TYPES.contains(&media.as_str()) {
        return Err(unread(Refusal {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ..Refusal::new(
                ErrorKind::Invalid,
                format!("{media} is not read here: send one of {}", MEDIA_TYPES.join(", ")),
                std::time::Duration::ZERO,
            )
        }));
    }
    let gzipped = request
        .headers()
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    let body = body::read(request, ingest.config().body).await.map_err(|problem| {
        let mut refusal = Refusal::from(problem);
        if gzipped && refusal.kind == ErrorKind::Invalid && refusal.status == StatusCode::BAD_REQUEST {
            refusal.reason = format!("Cannot gunzip spans: {}", refusal.reason);
        }
        unread(refusal)
    })?;
    // Zipkin takes an empty JSON list for nothing, whatever the media type says.
    let body = if body == "[]".as_bytes() { Bytes::new() } else { body };
    if !body.is_empty() {
        expect_list(format.codec(), &body).map_err(|error| unread(Refusal::from(error)))?;
    }
    let accepted = ingest.spans(origin, body).await?;
    if let Some(refusal) = accepted.refusal() {
        return Err(refusal);
    }
    let refused = accepted.refused.total();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    if refused > 0 {
        response.headers_mut().insert(REFUSED_HEADER, HeaderValue::from(refused));
        tracing::warn!(refused, reason = %accepted.refused.message(), "spans of a Zipkin list were not kept");
    }
    Ok(response)
}

impl Accepted {
    /// What a sender whose protocol knows no partial success is told when all of its spans were refused.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        (self.refused.total() > 0 && self.accepted == 0 && self.sampled_out == 0)
            .then(|| Refusal::new(ErrorKind::Invalid, self.refused.message(), std::time::Duration::ZERO))
    }
}

/// The media type named by the request, in lower case and without parameters; empty when there is none.
pub(crate) fn media_type(request: &Request) -> String {
    let value =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}
