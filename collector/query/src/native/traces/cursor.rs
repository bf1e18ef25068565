//! Where a page of traces ended: its order, the last trace's place in it, and the window of the first page.

use std::fmt;

use tracepact_analysis::Header;
use tracepact_base::TraceId;
use tracepact_listener::Problem;

/// What traces are sorted by; always the greatest first, then the newest, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The trace's timestamp.
    Newest,
    /// From the first start to the last end.
    Longest,
    /// Number of spans.
    MostSpans,
    /// Number of failed spans.
    MostErrors,
}

impl Sort {
    const ALL: [(&'static str, Self); 4] = [
        ("newest", Self::Newest),
        ("longest", Self::Longest),
        ("most_spans", Self::MostSpans),
        ("most_errors", Self::MostErrors),
    ];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, sort)| *sort)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, sort)| *sort == self).map_or("newest", |(name, _)| name)
    }
}

/// A trace's place in an order. Opaque to clients: `newest.0.{timestamp}.{id}.{start}.{end}`, numbers in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    sort: Sort,
    value: u64,
    pub(crate) at_ns: u64,
    pub(crate) trace_id: TraceId,
    /// The window of the first page, nanoseconds since 1970.
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
}

impl Cursor {
    /// The place of a trace.
    pub(crate) fn at(
        sort: Sort,
        header: &Header,
        (at_ns, trace_id): (u64, TraceId),
        (start_ns, end_ns): (u64, u64),
    ) -> Self {
        let value = match sort {
            Sort::Newest => 0,
            // Unknown is less than anything known.
            Sort::Longest => header.duration_ns.map_or(0, |duration| duration.saturating_add(1)),
            Sort::MostSpans => header.span_count as u64,
            Sort::MostErrors => header.error_count as u64,
        };
        Self { sort, value, at_ns, trace_id, start_ns, end_ns }
    }

    /// What places are compared by; the greatest comes first.
    pub(crate) fn key(&self) -> (u64, u64, TraceId) {
        (self.value, self.at_ns, self.trace_id)
    }

    /// Reads a cursor of a page in this order.
    pub(crate) fn parse(text: &str, sort: Sort) -> Result<Self, Problem> {
        let unknown =
            || Problem::invalid("cursor is no `next` of an answer of this server: leave it out to begin");
        let mut parts = text.split('.');
        let name = parts.next().ok_or_else(unknown)?;
        if Sort::from_name(name).ok_or_else(unknown)? != sort {
            return Err(Problem::invalid(format!(
                "cursor belongs to the order {name}, not {}: begin again without it",
                sort.name()
            )));
        }
        let mut number = || {
            let part = parts.next().filter(|part| (1..=32).contains(&part.len()));
            part.and_then(|part| u128::from_str_radix(part, 16).ok()).ok_or_else(unknown)
        };
        let (value, at_ns, id, start_ns, end_ns) = (number()?, number()?, number()?, number()?, number()?);
        let short = |number: u128| u64::try_from(number).map_err(|_| unknown());
        let cursor = Self {
            sort,
            value: short(value)?,
            at_ns: short(at_ns)?,
            trace_id: TraceId::new(id).ok_or_else(unknown)?,
            start_ns: short(start_ns)?,
            end_ns: short(end_ns)?,
        };
        if parts.next().is_some() || cursor.start_ns > cursor.end_ns {
            return Err(unknown());
        }
        Ok(cursor)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:x}.{:x}.{:x}.{:x}.{:x}",
            self.sort.name(),
            self.value,
            self.at_ns,
            self.trace_id.as_u128(),
            self.start_ns,
            self.end_ns
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value: u64, at_ns: u64, id in 1u128.., a: u64, b: u64, sort in 0usize..4) {
            let (name, sort) = Sort::ALL[sort];
            let cursor = Cursor {
                sort, value, at_ns, trace_id: TraceId::new(id).unwrap(), start_ns: a.min(b), end_ns: a.max(b),
            };
            let text = cursor.to_string();
            prop_assert!(text.starts_with(name) && text.len() < 200);
            prop_assert_eq!(Cursor::parse(&text, sort).unwrap(), cursor);
            let (_, other) = Sort::ALL[(Sort::ALL.iter().position(|(_, s)| *s == sort).unwrap() + 1) % 4];
            prop_assert!(Cursor::parse(&text, other).is_err());
        }

        #[test]
        fn nothing_else_is_a_cursor(text in ".{0,80}") {
            let _ = Cursor::parse(&text, Sort::Newest);
        }
    }

    #[test]
    fn what_is_cut_or_longer_is_refused() {
        for text in [
            "",
            "newest",
            "newest.0.1.2.3",
            "newest.0.1.0.3.4",
            "newest.0.1.2.4.3",
            "newest.0.1.2.3.4.5",
            "newest.-1.1.2.3.4",
        ] {
            assert!(Cursor::parse(text, Sort::Newest).is_err(), "{text}");
        }
        assert!(Cursor::parse("newest.0.1.2.3.4", Sort::Newest).is_ok());
    }
}
