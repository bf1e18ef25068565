//! Which traces in memory may meet a condition: a scan over the codes of one or two columns. Texts are compared once
//! for each distinct one, not once for each row.

use roaring::RoaringBitmap;
use tracepact_model::columnar::{NO_DURATION, ValueType, details, row_flags};
use tracepact_model::{Source, SpanChunk, StatusCode};

use super::Inner;
use crate::Predicate;
use crate::eval::same_name;
use crate::part::Condition;

/// Marks of traces.
struct Marks(Vec<u64>);

impl Marks {
    fn set(&mut self, trace: u32) {
        if let Some(word) = self.0.get_mut(trace as usize / 64) {
            *word |= 1 << (trace % 64);
        }
    }

    fn bitmap(self) -> RoaringBitmap {
        let words = self.0.into_iter().enumerate();
        let bits = words.flat_map(|(i, word)| {
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| i as u32 * 64 + bit)
        });
        bits.collect()
    }
}

impl Inner {
    /// Numbers of the traces with a row that may meet the condition (names lowered).
    pub(crate) fn matching(&self, condition: Condition<'_>) -> RoaringBitmap {
        let chunk = self.chunk();
        let mut marks = Marks(vec![0; self.traces().all().len().div_ceil(64)]);
        let trace_of = self.traces().trace_of();
        let services = condition.service.map(|name| endpoints_named(chunk, name));
        let of_service =
            |row: usize| services.as_ref().is_none_or(|wanted| is(wanted, chunk.rows.local[row]));
        let mut rows_where = |holds: &mut dyn FnMut(usize) -> bool| {
            for (row, trace) in trace_of.iter().enumerate() {
                if of_service(row) && holds(row) {
                    marks.set(*trace);
                }
            }
        };
        match condition.predicate {
            Predicate::Service(name) => {
                let wanted = endpoints_named(chunk, name);
                rows_where(&mut |row| is(&wanted, chunk.rows.local[row]));
            }
            Predicate::RemoteService(name) => {
                let wanted = endpoints_named(chunk, name);
                rows_where(&mut |row| is(&wanted, chunk.rows.remote[row]));
            }
            Predicate::Name(name) => {
                let mut known: Vec<Option<bool>> = vec![None; chunk.texts.len()];
                rows_where(&mut |row| {
                    let code = chunk.rows.name[row];
                    known.get_mut(code as usize).is_some_and(|known| {
                        *known.get_or_insert_with(|| same_name(chunk.texts.get(code), name))
                    })
                });
            }
            Predicate::Duration { min_ns, max_ns } => rows_where(&mut |row| {
                let duration = chunk.rows.duration_ns[row];
                duration != NO_DURATION && duration >= *min_ns && max_ns.is_none_or(|max| duration <= max)
            }),
            Predicate::Error => rows_where(&mut |row| chunk.rows.flags[row] & row_flags::ERROR != 0),
            Predicate::Tag(key, value) => {
                let tag = Tag::new(chunk, key, value);
                if tag.possible {
                    rows_where(&mut |row| tag.holds(chunk, row));
                }
            }
            Predicate::AnnotationOrKey(text) => {
                let code = chunk.texts.find(text);
                let shapes: Vec<bool> = chunk
                    .shapes
                    .iter()
                    .map(|shape| shape.iter().any(|key| Some(key.text()) == code))
                    .collect();
                let origins: Vec<bool> = chunk
                    .origins
                    .iter()
                    .map(|origin| origin.tags.iter().any(|(key, _)| Some(*key) == code))
                    .collect();
                rows_where(&mut |row| {
                    is(&shapes, chunk.rows.shape[row])
                        || is(&origins, chunk.rows.origin[row])
                        || status_tag(chunk, row, text).is_some()
                });
                for (row, name) in &chunk.event_names {
                    if Some(*name) == code
                        && let Some(trace) = trace_of.get(*row as usize)
                        && of_service(*row as usize)
                    {
                        marks.set(*trace);
                    }
                }
            }
        }
        marks.bitmap()
    }
}

fn is(list: &[bool], number: u32) -> bool {
    list.get(number as usize).copied().unwrap_or(false)
}

fn endpoints_named(chunk: &SpanChunk, lowered: &str) -> Vec<bool> {
    let named = |service: u32| service != 0 && same_name(chunk.texts.get(service), lowered);
    chunk.endpoints.iter().map(|endpoint| named(endpoint.service)).collect()
}

/// The Zipkin tag that an OTLP status becomes, as [`crate::eval::status_tag`] says it.
pub(crate) fn status_tag<'c>(chunk: &'c SpanChunk, row: usize, key: &str) -> Option<&'c str> {
    if Source::from_number(chunk.rows.source[row]) != Source::Otlp {
        return None;
    }
    match (StatusCode::from_number(chunk.rows.status[row]), key) {
        (StatusCode::Error, "error") => Some(chunk.texts.get(chunk.rows.status_message[row])),
        (StatusCode::Error, "otel.status_code") => Some("ERROR"),
        (StatusCode::Ok, "otel.status_code") => Some("OK"),
        _ => None,
    }
}

/// One tag that is looked for.
struct Tag<'q> {
    key: &'q str,
    value: &'q str,
    value_code: Option<u32>,
    /// Where the key stands in each shape, and whether its value is nested there.
    places: Vec<Option<(usize, bool)>>,
    origins: Vec<bool>,
    of_status: bool,
    possible: bool,
}

impl<'q> Tag<'q> {
    fn new(chunk: &SpanChunk, key: &'q str, value: &'q str) -> Self {
        let (key_code, value_code) = (chunk.texts.find(key), chunk.texts.find(value));
        let mut nested = false;
        let places = chunk
            .shapes
            .iter()
            .map(|shape| {
                let place = shape.iter().position(|known| Some(known.text()) == key_code)?;
                let is_nested = shape.get(place).is_some_and(|key| key.kind() == ValueType::Nested);
                nested |= is_nested;
                Some((place, is_nested))
            })
            .collect();
        let wanted = key_code.zip(value_code);
        let origins: Vec<bool> = chunk
            .origins
            .iter()
            .map(|origin| wanted.is_some_and(|wanted| origin.tags.contains(&wanted)))
            .collect();
        let of_status = matches!(key, "error" | "otel.status_code");
        let possible = of_status || nested || wanted.is_some();
        Self { key, value, value_code, places, origins, of_status, possible }
    }

    fn holds(&self, chunk: &SpanChunk, row: usize) -> bool {
        if is(&self.origins, chunk.rows.origin[row]) {
            return true;
        }
        if self.of_status && status_tag(chunk, row, self.key) == Some(self.value) {
            return true;
        }
        let Some(Some((place, nested))) = self.places.get(chunk.rows.shape[row] as usize) else {
            return false;
        };
        let at = chunk.rows.values_at[row] as usize + place;
        let Some(code) = chunk.values.get(at).copied() else { return false };
        if *nested {
            return details::read_value(chunk.texts.get(code)).is_ok_and(|value| value.text() == self.value);
        }
        Some(code) == self.value_code
    }
}
