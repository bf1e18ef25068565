//! Which traces may match, newest first, over all parts together.
//!
//! Most traces lie in one part: for them the part's own bitmaps and times decide, and only as many are looked at as the
//! search asks for. Traces that several parts have, or that share their low half where that is what counts, are put
//! together: a condition is met when it is met in any of them, and the time is that of a row without a parent where a part
//! has one, else the earliest. A trace that matches has exactly this time (with several rows without a parent, none later
//! than this one).

use std::collections::BinaryHeap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::shared::{Place, Together};
use crate::part::Traces;

/// One in so many traces of a part has to meet all conditions for going through them by time; fewer are sorted instead.
const DENSE: u64 = 16;

/// A trace that may match; ordered by time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    at_ns: u64,
    part: u32,
    place: u32,
    from: From,
}

/// Where a candidate comes from.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    /// Found at once.
    Part,
    /// The newest of a part that is gone through; the next follows it.
    Cursor,
    /// A trace of several parts, by its number.
    Group(usize),
}

/// The traces of one part, newest first.
#[derive(Debug)]
struct Cursor {
    traces: Arc<Traces>,
    /// In `traces.by_time()`.
    next: usize,
    /// Those that meet all conditions; `None` for all.
    places: Option<RoaringBitmap>,
}

/// Traces that may match, newest first.
#[derive(Debug)]
pub(crate) struct Candidates {
    heap: BinaryHeap<Candidate>,
    cursors: Vec<Option<Cursor>>,
    together: Together,
    start_ns: u64,
}

/// Where the rows of a candidate are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// In one part only.
    One {
        /// Number of the part.
        part: usize,
        /// Place of the trace in it.
        place: u32,
    },
    /// In several parts, or under several ids.
    Many(Vec<(usize, u32)>),
}

impl Candidates {
    /// `traces` holds those of each part, `None` for a part whose traces lie outside the window; `matching` for each
    /// part, or for none at all, the places that may meet each condition.
    pub(crate) fn new(
        traces: Vec<Option<Arc<Traces>>>,
        matching: &[Vec<Option<RoaringBitmap>>],
        together: Together,
        window: &RangeInclusive<u64>,
    ) -> Self {
        let mut found = Vec::new();
        let mut cursors = Vec::with_capacity(traces.len());
        for (part, of_part) in traces.into_iter().enumerate() {
            cursors.push(None);
            let Some(of_part) = of_part else { continue };
            let places = all_of(matching.get(part).map_or(&[], Vec::as_slice));
            let dense = |places: &RoaringBitmap| places.len() * DENSE >= u64::from(of_part.len());
            if let Some(by_time) = of_part.by_time()
                && places.as_ref().is_none_or(dense)
            {
                let later = |place: &u32| of_part.time(*place).is_some_and(|time| time.at_ns > *window.end());
                let next = by_time.partition_point(later);
                cursors[part] = Some(Cursor { traces: of_part, next, places });
                continue;
            }
            let mut add = |place: u32| {
                let time = of_part.time(place).filter(|time| window.contains(&time.at_ns));
                if let Some(time) =
                    time.filter(|_| together.places.get(part).is_none_or(|s| !s.contains(place)))
                {
                    found.push(Candidate { at_ns: time.at_ns, part: part as u32, place, from: From::Part });
                }
            };
            match places {
                Some(places) => places.iter().for_each(&mut add),
                None => (0..of_part.len()).for_each(&mut add),
            }
        }
        for (number, places) in together.groups.iter().enumerate() {
            let Some(at_ns) = latest(places, window) else { continue };
            if meet_all(places, matching)
                && let Some(first) = places.first()
            {
                let (part, place) = (first.part, first.place);
                found.push(Candidate { at_ns, part, place, from: From::Group(number) });
            }
        }
        let heap = BinaryHeap::from(found);
        let mut candidates = Self { heap, cursors, together, start_ns: *window.start() };
        (0..candidates.cursors.len()).for_each(|part| candidates.advance(part));
        candidates
    }

    /// Puts the next trace of a part that is gone through among the candidates.
    fn advance(&mut self, part: usize) {
        let Some(Some(cursor)) = self.cursors.get_mut(part) else { return };
        let shared = self.together.places.get(part);
        while let Some(place) = cursor.traces.by_time().and_then(|by_time| by_time.get(cursor.next)).copied()
        {
            cursor.next += 1;
            let Some(time) = cursor.traces.time(place).filter(|time| time.at_ns >= self.start_ns) else {
                break;
            };
            let may_match = cursor.places.as_ref().is_none_or(|places| places.contains(place));
            if may_match && shared.is_none_or(|shared| !shared.contains(place)) {
                self.heap.push(Candidate { at_ns: time.at_ns, part: part as u32, place, from: From::Cursor });
                return;
            }
        }
        self.cursors[part] = None;
    }

    /// The next trace: its time, which its own timestamp is not later than, and where its rows are. The timestamp of a
    /// trace that one part alone has is this time, unless rows of it were deleted.
    pub(crate) fn next(&mut self) -> Option<(u64, Found)> {
        let candidate = self.heap.pop()?;
        let one = Found::One { part: candidate.part as usize, place: candidate.place };
        let found = match candidate.from {
            From::Part => one,
            From::Cursor => {
                self.advance(candidate.part as usize);
                one
            }
            From::Group(number) => {
                let places = self.together.groups.get(number).into_iter().flat_map(|places| places.iter());
                Found::Many(places.map(|place| (place.part as usize, place.place)).collect())
            }
        };
        Some((candidate.at_ns, found))
    }
}

/// The places in all bitmaps; `None` for all places.
fn all_of(conditions: &[Option<RoaringBitmap>]) -> Option<RoaringBitmap> {
    let mut known = conditions.iter().flatten();
    let first = known.next()?.clone();
    Some(known.fold(first, |all, places| all & places))
}

/// The latest that a trace of several places can have been within the window. A row without a parent decides, the one
/// that came first; which of several that is only the rows tell.
fn latest(places: &[Place], window: &RangeInclusive<u64>) -> Option<u64> {
    let times = || places.iter().filter_map(|place| place.time);
    let within = |at_ns: &u64| window.contains(at_ns);
    if times().any(|time| time.rooted) {
        return times().filter(|time| time.rooted).map(|time| time.at_ns).filter(within).max();
    }
    times().map(|time| time.at_ns).min().filter(within)
}

/// Whether each condition may be met at one of these places.
fn meet_all(places: &[Place], matching: &[Vec<Option<RoaringBitmap>>]) -> bool {
    let conditions = matching.iter().map(Vec::len).max().unwrap_or(0);
    (0..conditions).all(|condition| {
        places.iter().any(|place| {
            let of_part = matching.get(place.part as usize).and_then(|of_part| of_part.get(condition));
            !matches!(of_part, Some(Some(bitmap)) if !bitmap.contains(place.place))
        })
    })
}

#[cfg(test)]
mod tests {
    use tracepact_base::TraceId;

    use crate::part::TraceTime;

    use super::*;

    fn part(ids: &[u128], times: &[Option<(u64, bool)>], sorted: bool) -> Option<Arc<Traces>> {
        let ids = ids.iter().map(|id| TraceId::new(*id).unwrap()).collect();
        let words = times.iter().map(|time| TraceTime::word(time.map(time_of))).collect();
        Some(Arc::new(if sorted { Traces::sorted(ids, words) } else { Traces::unsorted(ids, words) }))
    }

    fn time_of((at_ns, rooted): (u64, bool)) -> TraceTime {
        TraceTime { at_ns, rooted }
    }

    fn bitmap(places: &[u32]) -> Option<RoaringBitmap> {
        Some(places.iter().copied().collect())
    }

    fn place(part: u32, place: u32, time: (u64, bool)) -> Place {
        Place { part, place, id: TraceId::new(1).unwrap(), time: Some(time_of(time)) }
    }

    #[test]
    fn conditions_and_times_of_several_parts_count_together() {
        for sorted in [true, false] {
            let traces = || {
                vec![
                    part(&[1, 2, 3], &[Some((10, true)), Some((50, false)), Some((30, true))], sorted),
                    part(&[2, 4], &[Some((20, true)), None], sorted),
                ]
            };
            let groups = || {
                let shared = [1u32, 0].map(|place| RoaringBitmap::from([place])).to_vec();
                let group = vec![place(0, 1, (50, false)), place(1, 0, (20, true))];
                Together { groups: vec![Arc::new(group)], places: shared }
            };
            // Trace 1 meets both in one part, trace 2 one in each, trace 3 one only, trace 4 has no time.
            let matching = [vec![bitmap(&[0, 1, 2]), bitmap(&[0])], vec![bitmap(&[1]), bitmap(&[0, 1])]];
            let mut found = Candidates::new(traces(), &matching, groups(), &(0..=100));
            assert_eq!(found.next(), Some((20, Found::Many(vec![(0, 1), (1, 0)]))));
            assert_eq!(found.next(), Some((10, Found::One { part: 0, place: 0 })));
            assert_eq!(found.next(), None);
            let mut all = Candidates::new(traces(), &[], groups(), &(15..=100));
            let times: Vec<u64> = std::iter::from_fn(|| all.next().map(|(at, _)| at)).collect();
            assert_eq!(times, [30, 20]);
        }
    }

    #[test]
    fn a_part_outside_the_window_counts_only_with_others() {
        let traces = vec![None, part(&[7], &[Some((20, true))], true)];
        let groups = vec![Arc::new(vec![place(0, 3, (5, false)), place(1, 0, (20, true))])];
        let places = vec![RoaringBitmap::from([3u32]), RoaringBitmap::from([0u32])];
        // The condition is not met in the second part; whether the first meets it only its rows can tell.
        let matching = [vec![None], vec![bitmap(&[])]];
        let mut found = Candidates::new(traces, &matching, Together { groups, places }, &(10..=30));
        assert_eq!(found.next(), Some((20, Found::Many(vec![(0, 3), (1, 0)]))));
        assert_eq!(found.next(), None);
    }
}
