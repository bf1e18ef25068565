//! What is said about a trace as a whole and must be the same in the store and in every reader.

use crate::{Span, Status, StatusCode};

/// The timestamp of a trace by Zipkin's rule, in nanoseconds since 1970: the start of the first row without a parent
/// that has one, else the earliest start. `None` when no row has a start: such a trace cannot be searched yet.
pub fn trace_timestamp_ns<'s>(rows: impl IntoIterator<Item = &'s Span>) -> Option<u64> {
    let mut earliest: Option<u64> = None;
    for row in rows {
        let Some(start) = row.start_ns else { continue };
        if row.parent_id.is_none() {
            return Some(start);
        }
        earliest = Some(earliest.map_or(start, |known| known.min(start)));
    }
    earliest
}

impl Span {
    /// The words of a failure: OTLP's status message or Zipkin's `error` tag. `None` when the span did not fail.
    pub fn error_message(&self) -> Option<std::borrow::Cow<'_, str>> {
        match &self.status {
            Status { code: StatusCode::Error, message } => Some(std::borrow::Cow::Borrowed(message)),
            _ => self.attribute("error").map(crate::Value::text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_decides_else_the_earliest() {
        let row = |id: &str, parent: Option<&str>, start: Option<u64>| {
            let mut span = Span::new("1".parse().unwrap(), id.parse().unwrap());
            span.parent_id = parent.map(|p| p.parse().unwrap());
            span.start_ns = start;
            span
        };
        let child = row("2", Some("1"), Some(5));
        let late = row("3", Some("1"), Some(9));
        assert_eq!(trace_timestamp_ns([&late, &child]), Some(5));
        assert_eq!(trace_timestamp_ns([&child, &row("1", None, Some(7))]), Some(7));
        assert_eq!(trace_timestamp_ns([&row("1", None, None)]), None);
        assert_eq!(trace_timestamp_ns([&row("1", None, None), &child]), Some(5));
    }
}
