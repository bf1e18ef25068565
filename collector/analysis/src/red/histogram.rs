//! Durations as an exponential histogram: OTLP's of scale 3, Prometheus' native one of schema 3. Class `i` holds
//! durations above 2^(i/8) and up to 2^((i+1)/8) nanoseconds, so that a quantile is known to within 9 percent.

/// Classes to an octave, as a power of two: OTLP's `scale`.
pub const SCALE: u32 = 3;
const CLASSES: f64 = (1 << SCALE) as f64;

/// How many durations lie in each class. Histograms of parts add up to that of the whole, and can be taken off it again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DurationHistogram {
    /// Durations of 0: OTLP's `zero_count`.
    zeros: u64,
    /// Classes with their counts, in order; none is 0.
    classes: Vec<(u16, u64)>,
}

/// The class of a duration above 0.
fn class_of(duration_ns: u64) -> u16 {
    // Powers of two close their class, and floating point is exact for them.
    ((duration_ns as f64).log2() * CLASSES).ceil().max(1.0) as u16 - 1
}

impl DurationHistogram {
    /// Adds a duration.
    pub fn add(&mut self, duration_ns: u64) {
        if duration_ns == 0 {
            self.zeros += 1;
        } else {
            self.add_class(class_of(duration_ns), 1);
        }
    }

    fn add_class(&mut self, class: u16, count: u64) {
        match self.classes.binary_search_by_key(&class, |(known, _)| *known) {
            Ok(place) => self.classes[place].1 = self.classes[place].1.saturating_add(count),
            Err(place) => self.classes.insert(place, (class, count)),
        }
    }

    /// Adds all of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.zeros = self.zeros.saturating_add(other.zeros);
        other.classes.iter().for_each(|(class, count)| self.add_class(*class, *count));
    }

    /// Takes away what was added before.
    pub fn subtract(&mut self, other: &Self) {
        self.zeros = self.zeros.saturating_sub(other.zeros);
        for (class, count) in &other.classes {
            if let Ok(place) = self.classes.binary_search_by_key(class, |(known, _)| *known) {
                self.classes[place].1 = self.classes[place].1.saturating_sub(*count);
            }
        }
        self.classes.retain(|(_, count)| *count > 0);
    }

    /// Number of durations.
    pub fn count(&self) -> u64 {
        self.classes.iter().fold(self.zeros, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Durations of 0, and the classes with their counts.
    pub fn parts(&self) -> (u64, &[(u16, u64)]) {
        (self.zeros, &self.classes)
    }

    /// The histogram with these parts; classes in any order.
    pub fn from_parts(zeros: u64, classes: impl IntoIterator<Item = (u16, u64)>) -> Self {
        let mut histogram = Self { zeros, classes: Vec::new() };
        classes
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .for_each(|(class, count)| histogram.add_class(class, count));
        histogram
    }

    /// A duration that the share `quantile` of all durations does not exceed, in nanoseconds: the middle of its class.
    /// `None` without durations.
    pub fn quantile_ns(&self, quantile: f64) -> Option<f64> {
        let count = self.count();
        let rank = ((count as f64 * quantile).ceil() as u64).clamp(1, count.max(1));
        let mut seen = self.zeros;
        if count == 0 {
            return None;
        }
        if rank <= seen {
            return Some(0.0);
        }
        for (class, count) in &self.classes {
            seen = seen.saturating_add(*count);
            if rank <= seen {
                return Some(2f64.powf((f64::from(*class) + 0.5) / CLASSES));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn powers_of_two_close_their_class() {
        for octave in 1..60u16 {
            let border = 1u64 << octave;
            assert_eq!(class_of(border), octave * 8 - 1, "2^{octave}");
        }
        assert_eq!((class_of(1), class_of(2), class_of(3)), (0, 7, 12));
    }

    proptest! {
        #[test]
        fn parts_add_up_and_come_off_again(
            first in prop::collection::vec(0u64..1 << 50, 0..40),
            second in prop::collection::vec(0u64..1 << 50, 0..40),
        ) {
            let of = |durations: &[u64]| {
                let mut histogram = DurationHistogram::default();
                durations.iter().for_each(|duration| histogram.add(*duration));
                histogram
            };
            let mut sum = of(&first);
            sum.merge(&of(&second));
            prop_assert_eq!(&sum, &of(&[first.clone(), second.clone()].concat()));
            let (zeros, classes) = sum.parts();
            prop_assert_eq!(&DurationHistogram::from_parts(zeros, classes.iter().rev().copied()), &sum);
            sum.subtract(&of(&second));
            prop_assert_eq!(sum, of(&first));
        }

        #[test]
        fn quantiles_are_near_the_true_ones(mut durations in prop::collection::vec(1u64..1 << 40, 1..200), q in 0.01f64..1.0) {
            let mut histogram = DurationHistogram::default();
            durations.iter().for_each(|duration| histogram.add(*duration));
            durations.sort_unstable();
            let rank = ((durations.len() as f64 * q).ceil() as usize).clamp(1, durations.len());
            let wanted = durations[rank - 1] as f64;
            let found = histogram.quantile_ns(q).unwrap();
            prop_assert!(found / wanted < 1.1 && wanted / found < 1.1, "{found} {wanted}");
        }
    }
}
