//! One v1 span to rows.
//!
//! The rules are those of Zipkin's `V1SpanConverter`: the annotations `cs`/`cr`, `sr`/`ss`, `ms`/`ws` and `mr`/`wr`
//! decide kind, start and duration of the side they belong to; two sides of one call become two rows, the server's
//! shared; `ca`, `sa` and `ma` are addresses of the other side.

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

fn set_start(row: &mut Span, micros: i64) -> Result<(), String> {
    row.start_ns = nanoseconds(micros, "timestamp")?;
    Ok(())
}

fn set_duration(row: &mut Span, micros: i64) -> Result<(), String> {
    row.duration_ns = nanoseconds(micros, "duration")?;
    Ok(())
}

/// Whether `end` stands where the span's own duration ends.
fn ends_with(end: &End, source: &V1Span<'_>) -> bool {
    source.timestamp_us != 0
        && source.duration_us != 0
        && source.timestamp_us.checked_add(source.duration_us) == Some(end.at_us)
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

    /// Starts and durations of calls, then of messages.
    fn times(&mut self, source: &V1Span<'_>, mut ends: Ends) -> Result<Ends, ConvertError> {
        // A bridge from another model can lose the annotation that starts a side.
        let started = |end: &Option<End>| {
            end.as_ref()
                .filter(|end| ends_with(end, source))
                .map(|end| End { at_us: source.timestamp_us, endpoint: end.endpoint.clone() })
        };
        ends.cs = ends.cs.or_else(|| started(&ends.cr));
        ends.sr = ends.sr.or_else(|| started(&ends.ss));
        match (&ends.cs, &ends.cr, &ends.sr, &ends.ss) {
            (Some(cs), cr, Some(sr), ss) => self.both_sides(source, cs, cr.as_ref(), sr, ss.as_ref())?,
            (Some(cs), Some(cr), ..) => self.one_side(source, cs, Some(cr))?,
            (_, _, Some(sr), Some(ss)) => self.one_side(source, sr, Some(ss))?,
            _ => self.incomplete(source, &ends)?,
        }
        // v1 has no shared flag: by convention a server that leaves its timestamp out shares the client's span.
        if let (None, Some(sr)) = (&ends.cs, &ends.sr)
            && (source.timestamp_us == 0 || (ends.ss.is_some() && source.duration_us == 0))
        {
            let row = self.row_at(Some(&sr.endpoint))?;
            self.rows[row].flags.shared = true;
        }
        self.messages(source, &ends)?;
        Ok(ends)
    }

    fn both_sides(
        &mut self,
        source: &V1Span<'_>,
        cs: &End,
        cr: Option<&End>,
        sr: &End,
        ss: Option<&End>,
    ) -> Result<(), ConvertError> {
        // The client owns the span's own time.
        self.one_side(source, cs, cr)?;
        let client = self.row_at(Some(&cs.endpoint))?;
        let server = if same_service(&cs.endpoint, &sr.endpoint) {
            // A service that calls itself: two rows all the same.
            self.rows[client].kind = Kind::Client;
            let server = self.fork(&sr.endpoint)?;
            self.rows[server].kind = Kind::Server;
            server
        } else {
            self.row_at(Some(&sr.endpoint))?
        };
        let row = &mut self.rows[server];
        row.flags.shared = true;
        set_start(row, sr.at_us)?;
        if let Some(ss) = ss {
            set_duration(row, ss.at_us.saturating_sub(sr.at_us))?;
        }
        if cr.is_none() && source.duration_us == 0 {
            // Nobody waits for the answer of a one-way call.
            self.rows[client].duration_ns = None;
        }
        Ok(())
    }

    /// The span's own time where it has one, else from `begin` to `end`.
    fn one_side(&mut self, source: &V1Span<'_>, begin: &End, end: Option<&End>) -> Result<(), ConvertError> {
        let row = self.row_at(Some(&begin.endpoint))?;
        let row = &mut self.rows[row];
        if source.timestamp_us != 0 && source.duration_us != 0 {
            set_start(row, source.timestamp_us)?;
            set_duration(row, source.duration_us)?;
        } else {
            set_start(row, begin.at_us)?;
            if let Some(end) = end {
                set_duration(row, end.at_us.saturating_sub(begin.at_us))?;
            }
        }
        Ok(())
    }

    /// Half of a side is known: its start stands, its end is an annotation like any other.
    fn incomplete(&mut self, source: &V1Span<'_>, ends: &Ends) -> Result<(), ConvertError> {
        for row in 0..self.rows.len() {
            let (begin, end, name) = match self.rows[row].kind {
                Kind::Client => (&ends.cs, &ends.cr, "cr"),
                Kind::Server => (&ends.sr, &ends.ss, "ss"),
                _ => continue,
            };
            if let Some(begin) = begin {
                set_start(&mut self.rows[row], begin.at_us)?;
            }
            if let Some(end) = end {
                self.annotate_end(row, end, name)?;
            }
        }
        if source.timestamp_us != 0 {
            set_start(&mut self.rows[0], source.timestamp_us)?;
            set_duration(&mut self.rows[0], source.duration_us)?;
        }
        Ok(())
    }

    fn messages(&mut self, source: &V1Span<'_>, ends: &Ends) -> Result<(), ConvertError> {
        match (&ends.ms, &ends.mr) {
            (Some(ms), Some(mr)) => {
                let producer = self.row_at(Some(&ms.endpoint))?;
                let consumer = if same_service(&ms.endpoint, &mr.endpoint) {
                    self.rows[producer].kind = Kind::Producer;
                    let consumer = self.fork(&mr.endpoint)?;
                    self.rows[consumer].kind = Kind::Consumer;
                    consumer
                } else {
                    self.row_at(Some(&mr.endpoint))?
                };
                let row = &mut self.rows[consumer];
                row.flags.shared = true;
                match &ends.wr {
                    Some(wr) => {
                        set_start(row, wr.at_us)?;
                        set_duration(row, mr.at_us.saturating_sub(wr.at_us))?;
                    }
                    None => set_start(row, mr.at_us)?,
                }
                let row = &mut self.rows[producer];
                set_start(row, ms.at_us)?;
                let sent = ends.ws.as_ref().map_or(0, |ws| ws.at_us.saturating_sub(ms.at_us));
                set_duration(row, sent)?;
            }
            (Some(ms), None) => self.one_side(source, ms, ends.ws.as_ref())?,
            (None, Some(mr)) => match &ends.wr {
                Some(wr) => self.one_side(source, wr, Some(mr))?,
                None => self.one_side(source, mr, None)?,
            },
            (None, None) => {
                for (end, value) in [(&ends.ws, "ws"), (&ends.wr, "wr")] {
                    if let Some(end) = end {
                        let row = self.row_at(Some(&end.endpoint))?;
                        self.annotate_end(row, end, value)?;
                    }
                }
            }
        }
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
