//! What can go wrong, once for both dialects: HAL bodies for Pact clients, problems for the native API.

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
            Self::Conflict { .. } => ErrorKind::Conflict,
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

    fn body(&self) -> Value {
        match self {
            Self::Invalid { field, reason } if field.is_empty() => json!({ "errors": [reason] }),
            Self::Invalid { field, reason } => json!({ "errors": { field.as_str(): [reason] } }),
            Self::Conflict { reason, difference } => {
                let mut notices = vec![json!({ "type": "error", "text": reason })];
                notices.extend(difference.iter().map(|text| json!({ "type": "info", "text": text })));
                json!({ "notices": notices, "errors": { "contracts": [reason] } })
            }
            other => json!({ "error": other.told() }),
        }
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
            Self::Conflict { .. } => "application/json;charset=utf-8",
            _ => "application/hal+json;charset=utf-8",
        };
        let mut response =
            (self.status(), [(header::CONTENT_TYPE, content_type)], self.body().to_string()).into_response();
        if retry {
            response.headers_mut().insert(header::RETRY_AFTER, http::HeaderValue::from_static("1"));
        }
        response
    }
}
