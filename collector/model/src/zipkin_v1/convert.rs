//! One v1 span to rows.
//!
//! The rules are those of Zipkin's `V1SpanConverter`: the annotations `cs`/`cr`, `sr`/`ss`, `ms`/`ws` and `mr`/`wr`
//! decide kind, start and duration of the side they belong to; two sides of one call become two rows, the server's
//! shared; `ca`, `sa` and `ma` are addresses of the other side.

mod times;

use std::collections::HashMap;

use super::span::{V1Annotation, V1Span};
use crate::codec::DecodeError;
use crate::zipkin_fill::{Filler, finish, nanoseconds};
use crate::{Endpoint, Kind, Source, Span};

/// The end of a call: when, and on which side.
#[derive(Debug, Clone)]
struct End {
    at_us: i64,
    endpoint: Endpoint,
}

/// What the two-letter annotations said; of a repeated one the last counts.
#[derive(Debug, Default)]
struct Ends {
    cs: Option<End>,
    cr: Option<End>,
    sr: Option<End>,
    ss: Option<End>,
    ms: Option<End>,
    mr: Option<End>,
    ws: Option<End>,
    wr: Option<End>,
}

/// Why a span cannot be converted.
pub(super) enum ConvertError {
    Invalid(String),
    TooLarge(DecodeError),
}

impl From<String> for ConvertError {
    fn from(reason: String) -> Self {
        Self::Invalid(reason)
    }
}

struct Converter<'c, 'l> {
    filler: &'c mut Filler<'l>,
    /// Rows of this span; the first takes what belongs to no endpoint.
    rows: Vec<Span>,
    /// Rows before this span.
    before: usize,
    /// The row of each service; `None` for an endpoint without a name.
    by_service: HashMap<Option<String>, usize>,
    blank: Span,
}

/// Appends the rows of `source` to `out`.
pub(super) fn convert(
    source: &V1Span<'_>,
    filler: &mut Filler<'_>,
    out: &mut Vec<Span>,
) -> Result<(), ConvertError> {
    filler.room(out.len()).map_err(ConvertError::TooLarge)?;
    let mut blank = Span::new(source.trace_id, source.id);
    blank.source = Source::ZipkinV1;
    blank.parent_id = source.parent_id;
    blank.flags.debug = source.debug;
    blank.flags.truncated = source.truncated;
    blank.name = filler.text(&source.name, &mut blank.flags.truncated);
    let mut first = blank.clone();
    (first.dropped[0], first.dropped[1]) = (source.dropped[0], source.dropped[1]);
    let mut converter =
        Converter { filler, rows: vec![first], before: out.len(), by_service: HashMap::new(), blank };
    let ends = converter.annotations(source)?;
    let ends = converter.times(source, ends)?;
    converter.tags(source, &ends)?;
    for mut row in converter.rows {
        finish(&mut row);
        out.push(row);
    }
    Ok(())
}

fn same_service(a: &Endpoint, b: &Endpoint) -> bool {
    service_key(a) == service_key(b)
}

/// Names of services compare in lower case.
fn service_key(endpoint: &Endpoint) -> Option<String> {
    endpoint.service_name.as_ref().map(|name| name.to_lowercase())
}

impl Converter<'_, '_> {
    /// The row of an endpoint; a row without one takes it.
    fn row_at(&mut self, endpoint: Option<&Endpoint>) -> Result<usize, ConvertError> {
        let Some(endpoint) = endpoint else { return Ok(0) };
        let key = service_key(endpoint);
        if self.rows[0].local.is_empty() {
            self.rows[0].local = endpoint.clone();
            self.by_service.insert(key, 0);
            return Ok(0);
        }
        match self.by_service.get(&key) {
            Some(row) => Ok(*row),
            None => self.fork(endpoint),
        }
    }

    /// A further row at `endpoint`.
    fn fork(&mut self, endpoint: &Endpoint) -> Result<usize, ConvertError> {
        self.filler.room(self.before + self.rows.len()).map_err(ConvertError::TooLarge)?;
        let row = self.rows.len();
        self.rows.push(Span { local: endpoint.clone(), ..self.blank.clone() });
        // The first row of a service keeps taking what belongs to it.
        self.by_service.entry(service_key(endpoint)).or_insert(row);
        Ok(row)
    }

    fn annotations(&mut self, source: &V1Span<'_>) -> Result<Ends, ConvertError> {
        let mut ends = Ends::default();
        for annotation in &source.annotations {
            let row = self.row_at(annotation.endpoint.as_ref())?;
            // Without an endpoint the two letters are an annotation like any other.
            let end = annotation.endpoint.clone().map(|endpoint| End { at_us: annotation.at_us, endpoint });
            let (slot, kind) = match (&*annotation.value, &end) {
                ("cs", Some(_)) => (&mut ends.cs, Some(Kind::Client)),
                ("cr", Some(_)) => (&mut ends.cr, Some(Kind::Client)),
                ("sr", Some(_)) => (&mut ends.sr, Some(Kind::Server)),
                ("ss", Some(_)) => (&mut ends.ss, Some(Kind::Server)),
                ("ms", Some(_)) => (&mut ends.ms, Some(Kind::Producer)),
                ("mr", Some(_)) => (&mut ends.mr, Some(Kind::Consumer)),
                ("ws", Some(_)) => (&mut ends.ws, None),
                ("wr", Some(_)) => (&mut ends.wr, None),
                _ => {
                    self.annotate(row, annotation)?;
                    continue;
                }
            };
            *slot = end;
            if let Some(kind) = kind {
                self.rows[row].kind = kind;
            }
        }
        Ok(ends)
    }

    fn annotate(&mut self, row: usize, annotation: &V1Annotation<'_>) -> Result<(), ConvertError> {
        let at_ns = nanoseconds(annotation.at_us, "annotation timestamp")?.unwrap_or(0);
        self.filler.annotation(&mut self.rows[row], at_ns, &annotation.value);
        Ok(())
    }

    fn annotate_end(&mut self, row: usize, end: &End, value: &str) -> Result<(), ConvertError> {
        let at_ns = nanoseconds(end.at_us, "annotation timestamp")?.unwrap_or(0);
        self.filler.annotation(&mut self.rows[row], at_ns, value);
        Ok(())
    }

    fn tags(&mut self, source: &V1Span<'_>, ends: &Ends) -> Result<(), ConvertError> {
        let (mut ca, mut sa, mut ma) = (None, None, None);
        let mut filled = None;
        for tag in &source.tags {
            // An address has the value `true`; some senders say "1". The key decides.
            match &*tag.key {
                "ca" => ca = tag.endpoint.clone(),
                "sa" => sa = tag.endpoint.clone(),
                "ma" => ma = tag.endpoint.clone(),
                key => {
                    let row = self.row_at(tag.endpoint.as_ref())?;
                    // "Local component" without a value only carries the endpoint.
                    if key == "lc" && tag.value.is_empty() {
                        continue;
                    }
                    // The filler remembers the keys of one row at a time.
                    if filled.replace(row) != Some(row) {
                        self.filler.begin_tags();
                    }
                    self.filler.tag(&mut self.rows[row], key, &tag.value);
                }
            }
        }
        self.addresses(ends, ca, sa, ma)
    }

    fn addresses(
        &mut self,
        ends: &Ends,
        ca: Option<Endpoint>,
        sa: Option<Endpoint>,
        ma: Option<Endpoint>,
    ) -> Result<(), ConvertError> {
        let no_call = ends.cs.is_none() && ends.cr.is_none() && ends.sr.is_none() && ends.ss.is_none();
        match (ca, sa) {
            (Some(ca), Some(sa)) if no_call => {
                let row = self.row_at(Some(&ca))?;
                self.rows[row].remote = sa;
                return Ok(());
            }
            // Only the other side's address is known: that alone makes no client.
            (None, Some(sa)) if no_call => {
                self.rows[0].remote = sa;
                return Ok(());
            }
            (Some(ca), None) if no_call => {
                self.rows[0].kind = Kind::Server;
                self.rows[0].remote = ca;
                return Ok(());
            }
            (ca, sa) => {
                if let (Some(mut ca), Some(server)) = (ca, ends.sr.as_ref().or(ends.ss.as_ref()))
                    && ca != server.endpoint
                {
                    // Finagle names the server's own service for the client's socket: that is no link to itself.
                    if same_service(&ca, &server.endpoint) {
                        ca.service_name = None;
                    }
                    let row = self.row_at(Some(&server.endpoint))?;
                    self.rows[row].remote = ca;
                }
                if let (Some(sa), Some(client)) = (sa, ends.cs.as_ref().or(ends.cr.as_ref())) {
                    let row = self.row_at(Some(&client.endpoint))?;
                    self.rows[row].remote = sa;
                }
            }
        }
        if let Some(ma) = ma {
            for side in [&ends.ms, &ends.mr].into_iter().flatten() {
                let row = self.row_at(Some(&side.endpoint))?;
                self.rows[row].remote = ma.clone();
            }
        }
        Ok(())
    }
}
