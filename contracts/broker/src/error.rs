//! What can go wrong, once for both dialects: HAL bodies for Pact clients, problems for the native API.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};
use tracepact_base::ErrorKind;
use tracepact_contract_model::{NameProblem, PactError, QueryError, SelectorError};
use tracepact_listener::Problem;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// A field, parameter or body is wrong: the field's name and what is wrong with it.
    #[error("{field}: {reason}")]
    Invalid {
        /// Field or parameter.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// What was named does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It contradicts what is stored; the second text says how the two differ.
    #[error("{reason}")]
    Conflict {
        /// Why not.
        reason: String,
        /// The difference, for people.
        difference: Option<String>,
    },
    /// A new name that is nearly one that is there.
    #[error("{0}")]
    SimilarName(String),
    /// Well-formed, but this state does not allow it.
    #[error("{0}")]
    State(String),
    /// Refused at the edge (size, media type).
    #[error(transparent)]
    Edge(#[from] Problem),
    /// Too many writes are waiting.
    #[error("the contract store is busy; try again in a moment")]
    Busy,
    /// The database could not be opened at start.
    #[error("the contract database {database} cannot be opened: {reason}")]
    Open {
        /// Which, without its password.
        database: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// The database failed.
    #[error("the contract store failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl BrokerError {
    pub(crate) fn invalid(field: &str, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.to_owned(), reason: reason.into() }
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::State(_) => ErrorKind::Invalid,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Conflict { .. } | Self::SimilarName(_) => ErrorKind::Conflict,
            Self::Edge(problem) => problem.kind(),
            Self::Busy => ErrorKind::Exhausted,
            Self::Open { .. } => ErrorKind::Unavailable,
            Self::Database(error) => match error {
                sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                // Half an answer: whoever was at the other end went away.
                | sqlx::Error::Protocol(_) => ErrorKind::Unavailable,
                sqlx::Error::Database(error) if passes(error.as_ref()) => ErrorKind::Unavailable,
                _ => ErrorKind::Internal,
            },
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Edge(problem) => problem.status(),
            Self::State(_) => StatusCode::UNPROCESSABLE_ENTITY,
            other => {
                StatusCode::from_u16(other.kind().http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// What callers are told. Details of a database failure stay in the log.
    fn told(&self) -> String {
        if let Self::Invalid { field, reason } = self
            && field.is_empty()
        {
            return reason.clone();
        }
        if let Self::Database(error) = self {
            tracing::error!(%error, "the contract store failed");
            return match self.kind() {
                ErrorKind::Unavailable => "the contract store is locked, full or unreachable".into(),
                _ => "an unexpected error; it is in the log".into(),
            };
        }
        self.to_string()
    }

    fn for_problem(&self) -> Told {
        let field = match self {
            Self::Invalid { field, .. } if !field.is_empty() => Some(field.clone()),
            _ => None,
        };
        let detail = match self {
            Self::Invalid { reason, .. } => reason.clone(),
            other => other.told(),
        };
        let difference = match self {
            Self::Conflict { difference, .. } => difference.clone(),
            _ => None,
        };
        Told { kind: self.kind(), status: self.status(), field, detail, difference }
    }

    fn body(&self) -> Value {
        match self {
            Self::Invalid { field, reason } if field.is_empty() => json!({ "errors": [reason] }),
            Self::Invalid { field, reason } => json!({ "errors": { field.as_str(): [reason] } }),
            Self::Conflict { reason, difference } => {
                let mut notices = vec![json!({ "type": "error", "text": reason })];
                notices.extend(difference.iter().map(|text| json!({ "type": "info", "text": text })));
                json!({ "notices": notices, "errors": { "contracts": [reason] } })
            }
            Self::SimilarName(reason) => json!({
                "notices": [{ "type": "error", "text": reason }],
                "errors": { "contracts": [reason] },
            }),
            other => json!({ "error": other.told() }),
        }
    }
}

/// A refusal's parts, which travel beside the HAL form for clients that take problems instead.
#[derive(Debug)]
pub(crate) struct Told {
    kind: ErrorKind,
    status: StatusCode,
    field: Option<String>,
    detail: String,
    difference: Option<String>,
}

impl Told {
    /// The refusal as a problem (RFC 9457) about `path`, with the field as a JSON pointer.
    pub(crate) fn problem(&self, path: &str) -> Value {
        let kind = format!("/docs/errors/{}.md", self.kind.code());
        let title = Problem::title(self.kind);
        let mut body = json!({
            "type": kind, "title": title, "status": self.status.as_u16(), "detail": self.detail, "instance": path,
        });
        if let Some(field) = &self.field {
            let pointer = format!("/{}", field.replace('~', "~0").replace('.', "/"));
            body["errors"] =
                json!([{ "type": kind, "title": title, "detail": self.detail, "pointer": pointer }]);
        }
        if let Some(difference) = &self.difference {
            body["difference"] = difference.as_str().into();
        }
        body
    }
}

/// Whether the same request may succeed later, without anybody changing it.
fn passes(error: &dyn sqlx::error::DatabaseError) -> bool {
    if let Some(postgres) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        // Connection lost, transaction undone, out of resources, ended by an operator, a disk's fault; a lock or an answer
        // that was waited for too long; read-only after a switch to another server.
        let code = postgres.code();
        return ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
            || ["55P03", "25006"].contains(&code);
    }
    let message = error.message().to_lowercase();
    ["locked", "full", "readonly", "read-only", "unable to open", "disk i/o"]
        .iter()
        .any(|part| message.contains(part))
}

impl From<NameProblem> for BrokerError {
    fn from(problem: NameProblem) -> Self {
        let field = match &problem {
            NameProblem::Blank(what) | NameProblem::Dots(what) => what,
            NameProblem::TooLong { what, .. } | NameProblem::Control { what, .. } => what,
        };
        Self::invalid(field, problem.to_string())
    }
}

impl From<PactError> for BrokerError {
    fn from(error: PactError) -> Self {
        match error {
            PactError::Merge(reason) => Self::Conflict { reason, difference: None },
            other => Self::invalid("contracts", other.to_string()),
        }
    }
}

impl From<SelectorError> for BrokerError {
    fn from(error: SelectorError) -> Self {
        Self::invalid("consumerVersionSelectors", error.to_string())
    }
}

impl From<QueryError> for BrokerError {
    fn from(error: QueryError) -> Self {
        Self::invalid("", error.to_string())
    }
}

impl From<BrokerError> for Problem {
    fn from(error: BrokerError) -> Self {
        let status = error.status();
        match error {
            BrokerError::Edge(problem) => problem,
            BrokerError::Conflict { reason, difference: Some(difference) } => {
                Problem::new(ErrorKind::Conflict, reason).with("difference", difference)
            }
            other => Problem::new(other.kind(), other.told()).with_status(status),
        }
    }
}

/// The HAL form, as Pact clients read it. Problems of the edge keep their own form, which they read as well.
impl IntoResponse for BrokerError {
    fn into_response(self) -> Response {
        let retry = self.kind().is_retryable();
        if let Self::Edge(problem) = self {
            return problem.into_response();
        }
        let content_type = match self {
            Self::Conflict { .. } | Self::SimilarName(_) => "application/json;charset=utf-8",
            _ => "application/hal+json;charset=utf-8",
        };
        let status = self.status();
        let (body, told) = (self.body(), self.for_problem());
        let mut response = (status, [(header::CONTENT_TYPE, content_type)], body.to_string()).into_response();
        response.extensions_mut().insert(Arc::new(told));
        if retry {
            response.headers_mut().insert(header::RETRY_AFTER, http::HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, Executor};

    use super::*;

    #[tokio::test]
    async fn a_full_disk_passes_and_its_details_stay_in_the_log() {
        let mut conn = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
        conn.execute("PRAGMA max_page_count = 2; CREATE TABLE t (x TEXT)").await.unwrap();
        let full = conn.execute("INSERT INTO t VALUES (hex(zeroblob(100000)))").await.unwrap_err();
        assert!(full.to_string().contains("full"), "{full}");
        let response = BrokerError::Database(full).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
        let told = response.extensions().get::<Arc<Told>>().unwrap().problem("/contracts/publish");
        assert_eq!(told["detail"], "the contract store is locked, full or unreachable");
    }
}
