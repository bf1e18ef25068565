//! When each side began and how long it took, from the annotations that mark the ends of calls and messages.

use super::super::span::V1Span;
use super::{ConvertError, Converter, End, Ends, same_service};
use crate::zipkin_fill::nanoseconds;
use crate::{Kind, Span};

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
    /// Starts and durations of calls, then of messages.
    pub(super) fn times(&mut self, source: &V1Span<'_>, mut ends: Ends) -> Result<Ends, ConvertError> {
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
}
