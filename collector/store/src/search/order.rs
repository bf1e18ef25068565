//! Which traces may match, newest first, over all parts together.
//!
//! Most traces lie in one part: for them the part's own bitmaps and times decide. Traces that several parts have, or that
//! share their low half where that is what counts, are put together: a condition is met when it is met in any of them, and
//! the time is that of a row without a parent where a part has one, else the earliest. A trace that matches has exactly
//! this time (with several rows without a parent, none later than this one).

use std::collections::{BinaryHeap, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;

use roaring::RoaringBitmap;
use tracepact_base::TraceId;

use crate::part::{TraceTime, Traces, group};

/// Fewest bits of the filter that finds traces of several parts.
const FILTER_BITS_MIN: u32 = 12;

/// What two parts say about one trace, as one.
fn together(a: TraceTime, b: TraceTime) -> TraceTime {
    match (a.rooted, b.rooted) {
        (true, false) => a,
        (false, true) => b,
        // Which of several came first is known from the rows alone: the latest bounds them all.
        (true, true) => TraceTime { at_ns: a.at_ns.max(b.at_ns), ..a },
        (false, false) => TraceTime { at_ns: a.at_ns.min(b.at_ns), ..a },
    }
}

/// Part and place of a trace's rows.
type Place = (u32, u32);

/// A trace that may match; ordered by time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    at_ns: u64,
    part: u32,
    place: u32,
    /// Which of the traces of several parts it is, when it is one.
    group: Option<u32>,
}

/// Traces that may match, newest first.
#[derive(Debug)]
pub(crate) struct Candidates {
    heap: BinaryHeap<Candidate>,
    groups: Vec<Vec<Place>>,
}

/// Bits by the hash of a low half.
struct Filter {
    words: Vec<u64>,
    shift: u32,
}

impl Filter {
    fn new(traces: usize) -> Self {
        let bits = (traces * 16).next_power_of_two().trailing_zeros().max(FILTER_BITS_MIN);
        Self { words: vec![0; 1 << (bits - 6)], shift: 64 - bits }
    }

    fn bit(&self, low: u64) -> (usize, u64) {
        let bit = (low.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize;
        (bit / 64, 1 << (bit % 64))
    }

    /// Sets the bit; whether it was set.
    fn insert(&mut self, low: u64) -> bool {
        let (word, mask) = self.bit(low);
        let before = self.words[word];
        self.words[word] = before | mask;
        before & mask != 0
    }

    fn contains(&self, low: u64) -> bool {
        let (word, mask) = self.bit(low);
        self.words[word] & mask != 0
    }
}

impl Candidates {
    /// `matching` holds for each part, or for none at all, the places that may meet each condition.
    pub(crate) fn new(
        traces: &[Arc<Traces>],
        matching: &[Vec<Option<RoaringBitmap>>],
        window: RangeInclusive<u64>,
        strict: bool,
    ) -> Self {
        let groups = groups(traces, strict);
        let mut shared: Vec<RoaringBitmap> = vec![RoaringBitmap::new(); traces.len()];
        for (part, place) in groups.iter().flatten() {
            shared[*part as usize].insert(*place);
        }
        let mut found = Vec::new();
        for (part, of_part) in traces.iter().enumerate() {
            let mut add = |place: u32| {
                let time = of_part.times.get(place as usize).copied().flatten();
                if let Some(time) = time.filter(|time| window.contains(&time.at_ns)) {
                    found.push(Candidate { at_ns: time.at_ns, part: part as u32, place, group: None });
                }
            };
            match all_of(matching.get(part).map_or(&[], Vec::as_slice)) {
                Some(mut places) => {
                    places -= &shared[part];
                    places.iter().for_each(&mut add);
                }
                None => {
                    let places = 0..of_part.ids.len() as u32;
                    places.filter(|place| !shared[part].contains(*place)).for_each(&mut add);
                }
            }
        }
        for (number, places) in groups.iter().enumerate() {
            let time = places
                .iter()
                .filter_map(|(part, place)| traces[*part as usize].times[*place as usize])
                .reduce(together);
            let Some(time) = time.filter(|time| window.contains(&time.at_ns)) else { continue };
            if meet_all(places, matching)
                && let Some((part, place)) = places.first().copied()
            {
                found.push(Candidate { at_ns: time.at_ns, part, place, group: Some(number as u32) });
            }
        }
        Self { heap: BinaryHeap::from(found), groups }
    }

    /// The next trace: its time, which its own timestamp is not later than, and where its rows are.
    pub(crate) fn next(&mut self) -> Option<(u64, Vec<(usize, u32)>)> {
        let candidate = self.heap.pop()?;
        let places = match candidate.group.and_then(|group| self.groups.get(group as usize)) {
            Some(places) => places.iter().map(|(part, place)| (*part as usize, *place)).collect(),
            None => vec![(candidate.part as usize, candidate.place)],
        };
        Some((candidate.at_ns, places))
    }
}

/// The places in all bitmaps; `None` for all places.
fn all_of(conditions: &[Option<RoaringBitmap>]) -> Option<RoaringBitmap> {
    let mut known = conditions.iter().flatten();
    let first = known.next()?.clone();
    Some(known.fold(first, |all, places| all & places))
}

/// Whether each condition may be met at one of these places.
fn meet_all(places: &[Place], matching: &[Vec<Option<RoaringBitmap>>]) -> bool {
    let conditions = matching.first().map_or(0, Vec::len);
    (0..conditions).all(|condition| {
        places.iter().any(|(part, place)| {
            let of_part = matching.get(*part as usize).and_then(|of_part| of_part.get(condition));
            !matches!(of_part, Some(Some(bitmap)) if !bitmap.contains(*place))
        })
    })
}

/// Traces with more than one place.
pub(crate) fn groups(traces: &[Arc<Traces>], strict: bool) -> Vec<Vec<Place>> {
    let total: usize = traces.iter().map(|of_part| of_part.ids.len()).sum();
    // One part has each trace once.
    if traces.iter().filter(|of_part| !of_part.ids.is_empty()).count() < 2 && strict {
        return Vec::new();
    }
    let (mut seen, mut again) = (Filter::new(total), Filter::new(total / 4));
    for id in traces.iter().flat_map(|of_part| &of_part.ids) {
        if seen.insert(id.low()) {
            again.insert(id.low());
        }
    }
    let mut places: HashMap<TraceId, Vec<Place>, foldhash::fast::RandomState> = HashMap::default();
    for (part, of_part) in (0u32..).zip(traces) {
        for (place, id) in (0u32..).zip(&of_part.ids) {
            if again.contains(id.low()) {
                places.entry(group(*id, strict)).or_default().push((part, place));
            }
        }
    }
    places.into_values().filter(|places| places.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(ids: &[u128], times: &[Option<(u64, bool)>]) -> Arc<Traces> {
        let time = |time: &Option<(u64, bool)>| time.map(|(at_ns, rooted)| TraceTime { at_ns, rooted });
        Arc::new(Traces {
            ids: ids.iter().map(|id| TraceId::new(*id).unwrap()).collect(),
            times: times.iter().map(time).collect(),
        })
    }

    fn bitmap(places: &[u32]) -> Option<RoaringBitmap> {
        Some(places.iter().copied().collect())
    }

    #[test]
    fn conditions_and_times_of_several_parts_count_together() {
        let traces = [
            part(&[1, 2, 3], &[Some((10, true)), Some((50, false)), Some((30, true))]),
            part(&[2, 4], &[Some((20, true)), None]),
        ];
        // Trace 1 meets both in one part, trace 2 one in each, trace 3 one only, trace 4 has no time.
        let matching = [vec![bitmap(&[0, 1, 2]), bitmap(&[0])], vec![bitmap(&[1]), bitmap(&[0, 1])]];
        let mut found = Candidates::new(&traces, &matching, 0..=100, true);
        let (at, mut places) = found.next().unwrap();
        places.sort_unstable();
        assert_eq!((at, places), (20, vec![(0, 1), (1, 0)]));
        assert_eq!(found.next(), Some((10, vec![(0, 0)])));
        assert_eq!(found.next(), None);
        let mut all = Candidates::new(&traces, &[], 15..=100, true);
        let times: Vec<u64> = std::iter::from_fn(|| all.next().map(|(at, _)| at)).collect();
        assert_eq!(times, [30, 20]);
    }

    #[test]
    fn a_low_half_joins_traces_of_one_part_when_that_is_what_counts() {
        let wide = 1u128 << 64 | 7;
        let traces = [part(&[7, wide], &[Some((5, false)), Some((9, true))])];
        let mut lenient = Candidates::new(&traces, &[], 0..=100, false);
        assert_eq!(lenient.next(), Some((9, vec![(0, 0), (0, 1)])));
        assert_eq!(lenient.next(), None);
        let mut strict = Candidates::new(&traces, &[], 0..=100, true);
        assert_eq!(strict.next(), Some((9, vec![(0, 1)])));
        assert_eq!(strict.next(), Some((5, vec![(0, 0)])));
    }
}
