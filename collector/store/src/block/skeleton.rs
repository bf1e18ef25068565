//! Rows of a block with only what decides about parents, fragments and links: a fifth of the columns.

use std::str::FromStr;
use std::sync::Arc;

use tracepact_base::{SpanId, TraceId};
use tracepact_model::{Kind, Span, StatusCode, Value};

use super::Block;
use super::columns::{kind_word, status_word};
use super::pages::{Column, Failure};
use super::read::Opened;
use super::rows::meaning;
use crate::StoreError;
use crate::budget::Budget;
use crate::hot::Placed;
use crate::wire::Malformed;

const BAD: Malformed = Malformed("its columns do not fit together");
/// Rows that are read at once.
const ROWS_AT_ONCE: u32 = 8_192;
/// One row of so many must be wanted, or traces are read one by one.
const WANTED_SHARE: u32 = 64;
/// From so many traces on all of the index is read at once.
const MANY_TRACES: usize = 64;

type Texts = Vec<Option<Arc<str>>>;
type Numbers = Vec<Option<u64>>;

/// A trace that is wanted: its place, id, first row and the row behind its last.
type Wanted = (u32, TraceId, u32, u32);

impl Block {
    /// Gives the rows of the traces at these places, which are sorted, to `each`, trace by trace. Rows have their ids,
    /// start, kind, endpoints, links, the status code and the shared flag; of their attributes only whether there is one
    /// called `error`.
    pub(crate) fn skeletons(
        &self,
        places: &[u32],
        budget: &Budget,
        mut each: impl FnMut(u32, Vec<Placed>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let wanted = self.wanted(places, budget)?;
        let opened = self.opened(budget)?;
        let mut rest = wanted.as_slice();
        while let Some((_, _, first, _)) = rest.first().copied() {
            budget.check()?;
            let near = rest.partition_point(|(.., end)| end.saturating_sub(first) <= ROWS_AT_ONCE).max(1);
            let (mut run, mut behind) = rest.split_at(near);
            let rows = |of: &[Wanted]| of.last().map_or(0, |(.., end)| end.saturating_sub(first));
            let asked: u32 = run.iter().map(|(_, _, first, end)| end.saturating_sub(*first)).sum();
            if asked < rows(run) / WANTED_SHARE {
                (run, behind) = rest.split_at(1);
            }
            let reader =
                Skeletons::read(opened, first, rows(run), budget).map_err(|error| self.failed(&*error))?;
            for (place, id, from, end) in run.iter().copied() {
                let at = from.saturating_sub(first) as usize..end.saturating_sub(first) as usize;
                let of_trace = reader.rows(id, at).map_err(|error| self.failed(&*error))?;
                each(place, of_trace)?;
            }
            rest = behind;
        }
        Ok(())
    }

    fn wanted(&self, places: &[u32], budget: &Budget) -> Result<Vec<Wanted>, StoreError> {
        if places.len() < MANY_TRACES {
            let entry = |place: &u32| {
                let (id, first, end) = self.entry(*place, budget)?;
                if first < end {
                    Ok((*place, id, first, end))
                } else {
                    Err(self.damaged("its traces are out of order"))
                }
            };
            return places.iter().map(entry).collect();
        }
        let entries = self.entries(budget)?;
        let all = u32::try_from(self.meta.rows).map_err(|_| self.damaged("it has too many rows"))?;
        let of_place = |place: &u32| {
            let (id, first) = entries.get(*place as usize).copied()?;
            let end = entries.get(*place as usize + 1).map_or(all, |(_, next)| *next);
            Some((*place, id, first, end))
        };
        Ok(places.iter().filter_map(of_place).collect())
    }

    /// What no other block has: the number of its id.
    pub(crate) fn number(&self) -> u128 {
        ulid::Ulid::from_string(&self.meta.id).map_or(0, |id| id.0)
    }
}

/// The columns of a run of rows.
struct Skeletons {
    first: u32,
    span_ids: Numbers,
    parent_rows: Numbers,
    parent_ids: Numbers,
    lsns: Numbers,
    starts: Numbers,
    flags: Numbers,
    ports: Numbers,
    kinds: Texts,
    statuses: Texts,
    services: Texts,
    ipv4: Texts,
    ipv6: Texts,
    remote_services: Texts,
    links: Texts,
    shapes: Texts,
}

impl Skeletons {
    fn read(opened: &Opened, first: u32, rows: u32, budget: &Budget) -> Result<Self, Failure> {
        let column =
            |name: &str| -> Result<&Column, Failure> { opened.column(name).ok_or_else(|| BAD.into()) };
        let texts = |name: &str| column(name)?.texts(&opened.rows, first, rows, budget);
        let numbers = |name: &str| column(name)?.numbers(&opened.rows, first, rows, budget);
        Ok(Self {
            first,
            span_ids: numbers("span_id")?,
            parent_rows: numbers("parent_row")?,
            parent_ids: numbers("parent_id")?,
            lsns: numbers("lsn")?,
            starts: numbers("start_ns")?,
            flags: numbers("flags")?,
            ports: numbers("local_port")?,
            kinds: texts("kind")?,
            statuses: texts("status")?,
            services: texts("service")?,
            ipv4: texts("local_ipv4")?,
            ipv6: texts("local_ipv6")?,
            remote_services: texts("remote_service")?,
            links: texts("links")?,
            shapes: texts("attribute_shape")?,
        })
    }

    /// The rows of one trace, at these places of the run.
    fn rows(&self, id: TraceId, at: std::ops::Range<usize>) -> Result<Vec<Placed>, Failure> {
        let number = |numbers: &Numbers, i: usize| numbers.get(i).copied().flatten();
        let text = |texts: &Texts, i: usize| texts.get(i).cloned().flatten();
        let span_id = |i: usize| number(&self.span_ids, i).and_then(SpanId::new).ok_or(BAD);
        let mut out = Vec::with_capacity(at.len());
        for i in at.clone() {
            let mut row = Span::new(id, span_id(i)?);
            row.parent_id = match number(&self.parent_rows, i) {
                Some(place) => Some(span_id(at.start + place as usize)?),
                None => number(&self.parent_ids, i).and_then(SpanId::new),
            };
            row.start_ns = number(&self.starts, i);
            let kind = meaning(&text(&self.kinds, i).ok_or(BAD)?, |n| kind_word(Kind::from_number(n)))?;
            row.kind = Kind::from_number(kind);
            let status =
                meaning(&text(&self.statuses, i).ok_or(BAD)?, |n| status_word(StatusCode::from_number(n)))?;
            row.status.code = StatusCode::from_number(status);
            row.flags.shared = number(&self.flags, i).is_some_and(|bits| bits & 2 != 0);
            row.local.service_name = text(&self.services, i);
            row.local.ipv4 = address(&self.ipv4, i)?;
            row.local.ipv6 = address(&self.ipv6, i)?;
            row.local.port = number(&self.ports, i).and_then(|port| u16::try_from(port).ok());
            row.remote.service_name = text(&self.remote_services, i);
            row.links = tracepact_model::columnar::details::read_links(&text(&self.links, i).ok_or(BAD)?)?;
            // A list of pairs in JSON: the same bytes inside of a key would have their quotes escaped.
            if text(&self.shapes, i).ok_or(BAD)?.contains("[\"error\",") {
                row.attributes.push(("error".into(), Value::Empty));
            }
            let lsn = number(&self.lsns, i).ok_or(BAD)?;
            out.push(Placed { lsn, position: self.first + i as u32, row });
        }
        Ok(out)
    }
}

fn address<A: FromStr>(texts: &Texts, i: usize) -> Result<Option<A>, Failure> {
    let Some(text) = texts.get(i).and_then(Option::as_ref) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| BAD.into())
}
