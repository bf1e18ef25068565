//! Whether the rows of one trace meet a search, decided on the columns that the search is about and no others.
//!
//! The meaning of each condition is that of [`crate::eval`]; a property test holds the two together.

use std::sync::Arc;

use tracepact_model::columnar::details;
use tracepact_model::{Source, StatusCode};

use super::Block;
use super::attributes::AttributeReader;
use super::columns::{source_word, status_word};
use super::pages::Failure;
use super::rows::{Memo, RowReader};
use crate::budget::Budget;
use crate::eval::{same_name, scoped};
use crate::{Predicate, SpanQuery, StoreError};

impl Block {
    /// Whether the rows of the trace at a place meet the conditions of the query (names lowered), whatever its window says.
    pub(crate) fn meets(&self, place: u32, query: &SpanQuery, budget: &Budget) -> Result<bool, StoreError> {
        budget.check()?;
        let opened = self.opened(budget)?;
        let (_, first, end) = self.entry(place, budget)?;
        let rows = end.checked_sub(first).ok_or_else(|| self.damaged("its traces are out of order"))?;
        budget.rows(u64::from(rows))?;
        let reader = RowReader { opened, first, rows, budget };
        let mut checker = Checker { reader: &reader, attributes: None };
        scoped(query, rows as usize, |predicate| checker.rows(predicate))
            .map_err(|failure: Failure| self.failed(&*failure))
    }
}

/// Reads columns of a trace's rows as conditions ask for them.
struct Checker<'r> {
    reader: &'r RowReader<'r>,
    attributes: Option<AttributeReader<'r>>,
}

impl<'r> Checker<'r> {
    /// Of each row whether it meets the condition.
    fn rows(&mut self, predicate: &Predicate) -> Result<Vec<bool>, Failure> {
        match predicate {
            Predicate::Service(name) => self.where_text("service", |text| same_name(text, name)),
            Predicate::RemoteService(name) => self.where_text("remote_service", |text| same_name(text, name)),
            Predicate::Name(name) => self.where_text("name", |text| same_name(text, name)),
            Predicate::Duration { min_ns, max_ns } => {
                let within = |duration: u64| duration >= *min_ns && max_ns.is_none_or(|max| duration <= max);
                let durations = self.reader.numbers("duration_ns")?;
                Ok(durations.into_iter().map(|duration| duration.is_some_and(within)).collect())
            }
            Predicate::Error => {
                let failed = self.where_text("status", |word| word == status_word(StatusCode::Error))?;
                Ok(either(failed, self.with_key("error")?))
            }
            Predicate::Tag(key, value) => {
                let mut found = self.attributes()?.rows_where(key, value)?;
                found = either(found, self.of_resource(|known, of| *known == **key && of.text() == **value)?);
                Ok(either(found, self.of_status(key, |tag| tag == value)?))
            }
            Predicate::AnnotationOrKey(text) => {
                let mut found = either(self.annotated(text)?, self.with_key(text)?);
                found = either(found, self.of_resource(|known, _| *known == **text)?);
                Ok(either(found, self.of_status(text, |_| true)?))
            }
        }
    }

    fn attributes(&mut self) -> Result<&mut AttributeReader<'r>, Failure> {
        if self.attributes.is_none() {
            self.attributes = Some(AttributeReader::new(self.reader)?);
        }
        self.attributes.as_mut().ok_or_else(|| super::rows::BAD.into())
    }

    fn where_text(&self, column: &str, holds: impl Fn(&str) -> bool) -> Result<Vec<bool>, Failure> {
        let texts = self.reader.texts(column)?;
        // Neighbours mostly share one text.
        let mut last: Option<(&Arc<str>, bool)> = None;
        let mut known = Vec::with_capacity(texts.len());
        for text in &texts {
            known.push(match (text, last) {
                (None, _) => false,
                (Some(text), Some((before, held))) if Arc::ptr_eq(before, text) => held,
                (Some(text), _) => {
                    let held = holds(text);
                    last = Some((text, held));
                    held
                }
            });
        }
        Ok(known)
    }

    /// Rows with an attribute of this key.
    fn with_key(&mut self, key: &str) -> Result<Vec<bool>, Failure> {
        let rows = self.reader.rows as usize;
        let attributes = self.attributes()?;
        Ok((0..rows).map(|row| attributes.has(row, key)).collect())
    }

    /// Rows with an annotation of this value.
    fn annotated(&self, value: &str) -> Result<Vec<bool>, Failure> {
        let of_row = |text: &Option<Arc<str>>| {
            let Some(text) = text.as_ref().filter(|text| !text.is_empty()) else { return Ok(false) };
            Ok(details::read_events(text)?.iter().any(|event| *event.name == *value))
        };
        self.reader.texts("events")?.iter().map(of_row).collect()
    }

    /// Rows whose resource has such an attribute.
    fn of_resource(
        &self,
        holds: impl Fn(&str, &tracepact_model::Value) -> bool,
    ) -> Result<Vec<bool>, Failure> {
        let mut resources = Memo::new(&self.reader.opened.cache.resources);
        let of_row = |text: &Option<Arc<str>>| {
            let Some(text) = text.as_ref().filter(|text| !text.is_empty()) else { return Ok(false) };
            let resource = resources.get(text, |text| Ok(details::read_resource(text)?))?;
            Ok(resource.attributes.iter().any(|(key, value)| holds(key, value)))
        };
        self.reader.texts("resource")?.iter().map(of_row).collect()
    }

    /// Rows whose OTLP status reads like a Zipkin tag of this key with such a value; see [`crate::eval::status_tag`].
    fn of_status(&self, key: &str, holds: impl Fn(&str) -> bool) -> Result<Vec<bool>, Failure> {
        let of_error = match key {
            "error" => None,
            "otel.status_code" => Some("ERROR"),
            _ => return Ok(Vec::new()),
        };
        let otlp = self.where_text("source", |word| word == source_word(Source::Otlp))?;
        let failed = self.where_text("status", |word| word == status_word(StatusCode::Error))?;
        let fine = self.where_text("status", |word| word == status_word(StatusCode::Ok))?;
        let told = match of_error {
            None => self.where_text("status_message", &holds)?,
            Some(word) => vec![holds(word); otlp.len()],
        };
        let of_fine = of_error.is_some() && holds("OK");
        let row = |row: usize| otlp[row] && (failed[row] && told[row] || fine[row] && of_fine);
        Ok((0..otlp.len()).map(row).collect())
    }
}

/// Rows in either list; an empty one says nothing of any row.
fn either(mut rows: Vec<bool>, others: Vec<bool>) -> Vec<bool> {
    rows.iter_mut().zip(others).for_each(|(row, other)| *row |= other);
    rows
}
