//! A generation as a part of the store.

use std::sync::Arc;

use roaring::RoaringBitmap;
use tracepact_base::{ErrorKind, TraceId};
use tracepact_model::columnar::SpanReader;

use super::{Generation, HotTrace, Inner, Placed};
use crate::part::{Condition, Part, TraceTime, Traces};
use crate::{SpanQuery, StoreError, eval};

/// A generation for one query. Traces that come while it runs are not seen; rows of known traces may be.
#[derive(Debug)]
pub(crate) struct HotPart {
    generation: Arc<Generation>,
    traces: u32,
    rows: u32,
}

/// Rows that a scan copies at once.
const ROWS_AT_ONCE: u32 = 8_192;

impl HotPart {
    pub(crate) fn new(generation: Arc<Generation>) -> Self {
        let inner = generation.read();
        let (traces, rows) = (inner.traces().all().len() as u32, inner.chunk().len() as u32);
        drop(inner);
        Self { generation, traces, rows }
    }

    /// Gives every row and when it was received to `each`, some at a time, in order of arrival. Appends wait only while
    /// some are copied.
    pub(crate) fn scan(
        &self,
        mut each: impl FnMut(Vec<(Placed, u64)>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut first = 0;
        while first < self.rows {
            let end = self.rows.min(first + ROWS_AT_ONCE);
            let inner = self.generation.read();
            let mut reader = SpanReader::new(inner.chunk());
            let rows = (first..end).map(|row| {
                let received_at_ns = inner.request_of(row).received_at_ns;
                placed(&inner, &mut reader, row).map(|placed| (placed, received_at_ns))
            });
            let rows = rows.collect::<Result<_, _>>()?;
            drop(reader);
            drop(inner);
            each(rows)?;
            first = end;
        }
        Ok(())
    }

    pub(crate) fn generation(&self) -> &Generation {
        &self.generation
    }
}

fn placed(inner: &Inner, reader: &mut SpanReader<'_>, row: u32) -> Result<Placed, StoreError> {
    let request = inner.request_of(row);
    let span = reader
        .span(row as usize)
        .map_err(|error| StoreError::new(ErrorKind::Corrupt, format!("rows in memory: {error}")))?;
    Ok(Placed { lsn: request.lsn, position: row - request.first_row, row: span })
}

fn time_of(trace: &HotTrace) -> Option<TraceTime> {
    trace.timestamp().map(|(at_ns, rooted)| TraceTime { at_ns, rooted })
}

fn id_of(trace: &HotTrace) -> Result<TraceId, StoreError> {
    let id = TraceId::new(u128::from(trace.high) << 64 | u128::from(trace.low));
    id.ok_or_else(|| StoreError::new(ErrorKind::Internal, "a trace in memory has no id"))
}

impl Part for HotPart {
    fn matching(&self, condition: Condition<'_>) -> Result<Option<RoaringBitmap>, StoreError> {
        let mut places = self.generation.read().matching(condition);
        places.remove_range(self.traces..);
        Ok(Some(places))
    }

    fn count(&self) -> u32 {
        self.traces
    }

    fn traces(&self) -> Result<Arc<Traces>, StoreError> {
        let inner = self.generation.read();
        let known = inner.traces().all().iter().take(self.traces as usize);
        let ids = known.clone().map(id_of).collect::<Result<_, _>>()?;
        Ok(Arc::new(Traces::unsorted(ids, known.map(|trace| TraceTime::word(time_of(trace))).collect())))
    }

    fn window_ns(&self) -> Option<(u64, u64)> {
        None
    }

    fn time(&self, place: u32) -> Result<Option<TraceTime>, StoreError> {
        Ok(self.generation.read().traces().get(place).and_then(time_of))
    }

    fn meets(&self, place: u32, query: &SpanQuery) -> Result<bool, StoreError> {
        let mut placed = Vec::new();
        self.rows(place, &mut placed)?;
        let rows: Vec<_> = placed.into_iter().map(|placed| placed.row).collect();
        Ok(eval::meet(&rows, query))
    }

    fn id(&self, place: u32) -> Result<TraceId, StoreError> {
        let inner = self.generation.read();
        let none = || StoreError::new(ErrorKind::Internal, "a trace in memory is gone");
        inner.traces().get(place).ok_or_else(none).and_then(id_of)
    }

    fn find(&self, id: TraceId, strict: bool) -> Result<Vec<u32>, StoreError> {
        let inner = self.generation.read();
        let same =
            |place: &u32| !strict || inner.traces().get(*place).is_some_and(|trace| trace.high == id.high());
        Ok(inner.traces().find(id.low()).filter(same).collect())
    }

    fn rows(&self, place: u32, out: &mut Vec<Placed>) -> Result<(), StoreError> {
        let inner = self.generation.read();
        let mut reader = SpanReader::new(inner.chunk());
        for row in inner.traces().rows(place) {
            out.push(placed(&inner, &mut reader, row)?);
        }
        Ok(())
    }

    fn name(&self) -> String {
        "rows in memory".to_owned()
    }
}
