//! What kind of failure an error is. One stable code each, one page in `docs/errors`, one table to HTTP and gRPC.

use serde::{Deserialize, Serialize};

/// The kinds every public error of tracepact falls into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request is malformed; repeating it unchanged cannot succeed.
    Invalid,
    /// The request is larger than a documented limit.
    TooLarge,
    /// No credentials, or ones that are not known.
    Unauthenticated,
    /// Known credentials without the needed scope, or a request from a place that may not make it.
    Forbidden,
    /// The request contradicts what is stored (for example another content under the same version).
    Conflict,
    /// A bound (queue, budget, quota) is reached; try again after the stated time.
    Exhausted,
    /// A part that is needed is down or read-only; try again after the stated time.
    Unavailable,
    /// The named thing does not exist.
    NotFound,
    /// The answer was not ready within the caller's deadline.
    Deadline,
    /// Stored data failed its checksum or could not be read.
    Corrupt,
    /// A bug in tracepact.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Invalid,
        Self::TooLarge,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::Conflict,
        Self::Exhausted,
        Self::Unavailable,
        Self::NotFound,
        Self::Deadline,
        Self::Corrupt,
        Self::Internal,
    ];

    /// The stable code: the `code` of a problem body and the name of the page in `docs/errors`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "TP-INVALID",
            Self::TooLarge => "TP-TOO-LARGE",
            Self::Unauthenticated => "TP-UNAUTHENTICATED",
            Self::Forbidden => "TP-FORBIDDEN",
            Self::Conflict => "TP-CONFLICT",
            Self::Exhausted => "TP-EXHAUSTED",
            Self::Unavailable => "TP-UNAVAILABLE",
            Self::NotFound => "TP-NOT-FOUND",
            Self::Deadline => "TP-DEADLINE",
            Self::Corrupt => "TP-CORRUPT",
            Self::Internal => "TP-INTERNAL",
        }
    }

    /// The HTTP status of this kind.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::Exhausted | Self::Unavailable => 503,
            Self::Deadline => 504,
            Self::Corrupt | Self::Internal => 500,
        }
    }

    /// The gRPC status code of this kind, by number (google.rpc.Code).
    pub const fn grpc_code(self) -> i32 {
        match self {
            Self::Invalid | Self::TooLarge => 3,
            Self::Deadline => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::Forbidden => 7,
            Self::Internal => 13,
            Self::Exhausted | Self::Unavailable => 14,
            Self::Corrupt => 15,
            Self::Unauthenticated => 16,
        }
    }

    /// Whether the same request may succeed later, so that a retry time is sent with the refusal.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Exhausted | Self::Unavailable | Self::Deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_each_has_a_page() {
        let mut seen = std::collections::HashSet::new();
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
        for kind in ErrorKind::ALL {
            assert!(seen.insert(kind.code()));
            assert!(
                docs.join(format!("{}.md", kind.code())).is_file(),
                "docs/errors/{}.md is missing",
                kind.code()
            );
        }
    }
}
