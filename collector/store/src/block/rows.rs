//! Rows of a block as owned spans: reads the columns that the rows have values in, and no others.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use parking_lot::Mutex;
use tracepact_base::{SpanId, TraceId};
use tracepact_model::columnar::{ValueType, details};
use tracepact_model::{Endpoint, Kind, Resource, Scope, Source, Span, SpanFlags, Status, StatusCode};

use super::attributes::AttributeReader;
use super::columns::{kind_word, source_word, status_word};
use super::pages::{Column, Failure};
use super::read::Opened;
use crate::budget::Budget;
use crate::hot::Placed;
use crate::wire::Malformed;

pub(super) const BAD: Malformed = Malformed("its columns do not fit together");
/// Most parsed texts that one block remembers of each kind.
const PARSED_MAX: usize = 1_000;

pub(super) type Texts = Vec<Option<Arc<str>>>;
pub(super) type Numbers = Vec<Option<u64>>;

/// Keys and types of attributes, in their order.
pub(super) type Shape = Vec<(Arc<str>, ValueType)>;

/// Texts of a block that were parsed before.
#[derive(Debug)]
pub(crate) struct Parsed<T>(Mutex<HashMap<Arc<str>, Arc<T>>>);

impl<T> Default for Parsed<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Parsed<T> {
    pub(super) fn get(
        &self,
        text: &Arc<str>,
        parse: impl FnOnce(&str) -> Result<T, Failure>,
    ) -> Result<Arc<T>, Failure> {
        if let Some(known) = self.0.lock().get(text) {
            return Ok(known.clone());
        }
        let new = Arc::new(parse(text)?);
        let mut known = self.0.lock();
        if known.len() >= PARSED_MAX {
            known.clear();
        }
        known.insert(text.clone(), new.clone());
        Ok(new)
    }
}

/// What one read has parsed, by the text itself: rows that share a dictionary's text need neither its hash nor a lock.
pub(super) struct Memo<'p, T> {
    parsed: &'p Parsed<T>,
    known: Vec<(Arc<str>, Arc<T>)>,
}

impl<'p, T> Memo<'p, T> {
    /// Texts that are remembered without looking further.
    const KNOWN_MAX: usize = 32;

    pub(super) fn new(parsed: &'p Parsed<T>) -> Self {
        Self { parsed, known: Vec::new() }
    }

    pub(super) fn get(
        &mut self,
        text: &Arc<str>,
        parse: impl FnOnce(&str) -> Result<T, Failure>,
    ) -> Result<Arc<T>, Failure> {
        if let Some((_, known)) = self.known.iter().find(|(known, _)| Arc::ptr_eq(known, text)) {
            return Ok(known.clone());
        }
        let new = self.parsed.get(text, parse)?;
        if self.known.len() < Self::KNOWN_MAX {
            self.known.push((text.clone(), new.clone()));
        }
        Ok(new)
    }
}

/// What a block remembers of its rows.
#[derive(Debug, Default)]
pub(crate) struct RowCache {
    pub(super) shapes: Parsed<Shape>,
    pub(super) resources: Parsed<Resource>,
    scopes: Parsed<Scope>,
}

/// Reads the rows of one trace, or of several that follow each other.
pub(crate) struct RowReader<'o> {
    pub(crate) opened: &'o Opened,
    pub(crate) first: u32,
    pub(crate) rows: u32,
    pub(crate) budget: &'o Budget,
}

/// One side's columns.
struct EndpointColumns {
    service: Texts,
    ipv4: Texts,
    ipv6: Texts,
    port: Numbers,
}

impl RowReader<'_> {
    fn column(&self, name: &str) -> Result<&Column, Failure> {
        self.opened.column(name).ok_or_else(|| BAD.into())
    }

    pub(super) fn texts(&self, name: &str) -> Result<Texts, Failure> {
        self.column(name)?.texts(&self.opened.rows, self.first, self.rows, self.budget)
    }

    pub(super) fn numbers(&self, name: &str) -> Result<Numbers, Failure> {
        self.column(name)?.numbers(&self.opened.rows, self.first, self.rows, self.budget)
    }

    fn endpoint(&self, service: &str, side: &str) -> Result<EndpointColumns, Failure> {
        Ok(EndpointColumns {
            service: self.texts(service)?,
            ipv4: self.texts(&format!("{side}_ipv4"))?,
            ipv6: self.texts(&format!("{side}_ipv6"))?,
            port: self.numbers(&format!("{side}_port"))?,
        })
    }

    /// Appends the rows, of `traces` with the first row of each in the block.
    pub(crate) fn read(&self, traces: &[(TraceId, u32)], out: &mut Vec<Placed>) -> Result<(), Failure> {
        let [span_ids, parent_rows, parent_ids, lsns] =
            ["span_id", "parent_row", "parent_id", "lsn"].map(|name| self.numbers(name));
        let (span_ids, parent_rows, parent_ids, lsns) = (span_ids?, parent_rows?, parent_ids?, lsns?);
        let (starts, durations) = (self.numbers("start_ns")?, self.numbers("duration_ns")?);
        let (flags, otlp_flags) = (self.numbers("flags")?, self.numbers("otlp_flags")?);
        let dropped = [
            self.numbers("dropped_attributes")?,
            self.numbers("dropped_events")?,
            self.numbers("dropped_links")?,
        ];
        let (kinds, statuses, sources) = (self.texts("kind")?, self.texts("status")?, self.texts("source")?);
        let (names, messages) = (self.texts("name")?, self.texts("status_message")?);
        let tracestates = self.texts("tracestate")?;
        let (instances, versions) = (self.texts("service_instance_id")?, self.texts("service_version")?);
        let (local, remote) =
            (self.endpoint("service", "local")?, self.endpoint("remote_service", "remote")?);
        let (events, links) = (self.texts("events")?, self.texts("links")?);
        let (resources, scopes) = (self.texts("resource")?, self.texts("scope")?);
        let mut attributes = AttributeReader::new(self)?;
        let mut resources_read = Memo::new(&self.opened.cache.resources);
        let mut scopes_read = Memo::new(&self.opened.cache.scopes);
        let text = |texts: &Texts, i: usize| texts.get(i).cloned().flatten().ok_or(BAD);
        let number = |numbers: &Numbers, i: usize| numbers.get(i).copied().flatten();
        let small = |numbers: &Numbers, i: usize| number(numbers, i).map_or(0, |n| n as u32);
        let mut traces = traces.iter().peekable();
        let mut of_trace = None;
        for i in 0..self.rows as usize {
            while let Some((id, first)) =
                traces.next_if(|(_, first)| first.checked_sub(self.first).is_some_and(|at| at as usize <= i))
            {
                of_trace = Some((*id, (first - self.first) as usize));
            }
            let (id, trace_at) = of_trace.ok_or(BAD)?;
            let span_id = number(&span_ids, i).and_then(SpanId::new).ok_or(BAD)?;
            let mut row = Span::new(id, span_id);
            row.parent_id = match number(&parent_rows, i) {
                Some(place) => {
                    Some(number(&span_ids, trace_at + place as usize).and_then(SpanId::new).ok_or(BAD)?)
                }
                None => number(&parent_ids, i).and_then(SpanId::new),
            };
            row.start_ns = number(&starts, i);
            row.duration_ns = number(&durations, i);
            row.kind =
                meaning(&text(&kinds, i)?, |n| kind_word(Kind::from_number(n))).map(Kind::from_number)?;
            row.name = text(&names, i)?;
            let code = meaning(&text(&statuses, i)?, |n| status_word(StatusCode::from_number(n)))?;
            row.status = Status { code: StatusCode::from_number(code), message: text(&messages, i)? };
            let source = meaning(&text(&sources, i)?, |n| source_word(Source::from_number(n)))?;
            row.source = Source::from_number(source);
            let bits = small(&flags, i);
            row.flags = SpanFlags {
                debug: bits & 1 != 0,
                shared: bits & 2 != 0,
                truncated: bits & 4 != 0,
                end_before_start: bits & 8 != 0,
                otlp: small(&otlp_flags, i),
            };
            row.tracestate = text(&tracestates, i)?;
            row.instance = instances.get(i).cloned().flatten();
            row.version = versions.get(i).cloned().flatten();
            row.local = local.at(i)?;
            row.remote = remote.at(i)?;
            row.attributes = attributes.row(i)?;
            row.events = details::read_events(&text(&events, i)?)?;
            row.links = details::read_links(&text(&links, i)?)?;
            row.dropped = [small(&dropped[0], i), small(&dropped[1], i), small(&dropped[2], i)];
            row.resource =
                resources_read.get(&text(&resources, i)?, |text| Ok(details::read_resource(text)?))?;
            row.scope = scopes_read.get(&text(&scopes, i)?, |text| Ok(details::read_scope(text)?))?;
            let lsn = number(&lsns, i).ok_or(BAD)?;
            out.push(Placed { lsn, position: self.first + i as u32, row });
        }
        Ok(())
    }
}

/// The number that a word stands for.
pub(super) fn meaning(word: &str, words: impl Fn(u8) -> &'static str) -> Result<u8, Failure> {
    const NUMBERS: u8 = 6;
    (0..NUMBERS).find(|number| words(*number) == word).ok_or_else(|| BAD.into())
}

impl EndpointColumns {
    fn at(&self, i: usize) -> Result<Endpoint, Failure> {
        Ok(Endpoint {
            service_name: self.service.get(i).cloned().flatten(),
            ipv4: address(&self.ipv4, i)?,
            ipv6: address(&self.ipv6, i)?,
            port: self.port.get(i).copied().flatten().and_then(|port| u16::try_from(port).ok()),
        })
    }
}

fn address<A: FromStr>(texts: &Texts, i: usize) -> Result<Option<A>, Failure> {
    let Some(text) = texts.get(i).and_then(Option::as_ref) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| BAD.into())
}
