//! The history that is written, as a rule: who consumes whom, which content a version carries, who verified what. The
//! filling writes it, the questions know from it what the right answers are.
//!
//! Every service consumes five others, and one hub is consumed by a hundred. A fifth of the contracts never change, the
//! content of the others changes with every eighth version; each provider version verified the eighteen newest contents
//! of each of its consumers.

/// Versions between two contents of one contract.
pub(crate) const VERSIONS_PER_CONTENT: u32 = 8;
/// Contents that one provider version verified, of each of its consumers.
pub(crate) const CONTENTS_VERIFIED: u32 = 18;
/// Consumers of the hub, which is service 1.
pub(crate) const HUB_CONSUMERS: u32 = 100;
/// Providers of everybody. The contract with the first of them never changes.
pub(crate) const PROVIDERS: u32 = 5;

/// When it begins, in nanoseconds since 1970.
pub(crate) const BEGINNING_NS: i64 = 1_700_000_000_000_000_000;
/// Between two versions of one service.
pub(crate) const VERSION_EVERY_NS: i64 = 6 * 3_600 * 1_000_000_000;

/// How long a history.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) pacticipants: u32,
    pub(crate) versions: u32,
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled {
    pub(crate) pacts: i64,
    pub(crate) contents: i64,
    pub(crate) verifications: i64,
    pub(crate) bytes: i64,
}

/// What an answer must count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) success: usize,
    pub(crate) failed: usize,
    pub(crate) unknown: usize,
}

impl Counts {
    /// The verdict they add up to.
    pub(crate) fn deployable(self) -> Option<bool> {
        // As in Pact, what is not known keeps the question open whatever else failed.
        match (self.unknown, self.failed) {
            (0, 0) => Some(true),
            (0, _) => Some(false),
            _ => None,
        }
    }

    fn add(&mut self, result: Option<bool>) {
        match result {
            Some(true) => self.success += 1,
            Some(false) => self.failed += 1,
            None => self.unknown += 1,
        }
    }
}

/// A contract between two services, numbered from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) consumer: u32,
    pub(crate) provider: u32,
    /// Its content never changes.
    pub(crate) stable: bool,
}

impl Pair {
    /// Which of its contents the version at `index` (from 0) carries.
    fn content(self, index: u32) -> u32 {
        if self.stable { 0 } else { index / VERSIONS_PER_CONTENT }
    }
}

impl Size {
    /// Distinct contents of a contract that changes.
    pub(crate) fn contents(self) -> u32 {
        self.versions.div_ceil(VERSIONS_PER_CONTENT)
    }

    /// How far the providers of one consumer are apart.
    pub(crate) fn step(self) -> u32 {
        self.pacticipants / PROVIDERS
    }

    /// Every contract.
    pub(crate) fn pairs(self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for consumer in 1..=self.pacticipants {
            for d in 0..PROVIDERS {
                let provider = (consumer + d * self.step() + d) % self.pacticipants + 1;
                pairs.push(Pair { consumer, provider, stable: d == 0 });
            }
        }
        for consumer in 2..2 + HUB_CONSUMERS.min(self.pacticipants - 1) {
            if !pairs.iter().any(|p| p.consumer == consumer && p.provider == 1) {
                pairs.push(Pair { consumer, provider: 1, stable: false });
            }
        }
        pairs
    }

    /// Index of the version in production; the newest one is in test.
    fn live(self) -> u32 {
        self.versions.saturating_sub(2)
    }

    /// What the provider's version at `version` said of a content: `None` when it never verified it.
    fn result(self, pair: Pair, content: u32, version: u32) -> Option<bool> {
        let newest = pair.content(version);
        let verified = content <= newest && newest - content < CONTENTS_VERIFIED;
        verified.then(|| version % 7 != 3 || version + 2 >= self.versions)
    }

    /// The right answer to: may the version at `index` of `service` go to production?
    pub(crate) fn deploy(self, pairs: &[Pair], service: u32, index: u32) -> Counts {
        let live = self.live();
        let mut counts = Counts::default();
        for pair in pairs {
            if pair.consumer == service {
                counts.add(self.result(*pair, pair.content(index), live));
            }
            if pair.provider == service {
                counts.add(self.result(*pair, pair.content(live), index));
            }
        }
        counts
    }

    /// How many contracts a service's build is given to verify: the newest and the deployed content of each consumer.
    pub(crate) fn to_verify(self, pairs: &[Pair], service: u32) -> usize {
        let (newest, live) = (self.versions - 1, self.live());
        let of_pair = |pair: &Pair| if pair.content(newest) == pair.content(live) { 1 } else { 2 };
        pairs.iter().filter(|pair| pair.provider == service).map(of_pair).sum()
    }
}

impl Size {
    /// Rows of a service's newest version beside everyone with a result: as consumer every provider version that verified
    /// its content, as provider every content that it verified.
    pub(crate) fn matrix(self, pairs: &[Pair], service: u32) -> usize {
        let newest = self.versions - 1;
        let mut rows = 0;
        for pair in pairs {
            if pair.consumer == service {
                let content = pair.content(newest);
                let by = (0..self.versions).filter(|version| self.result(*pair, content, *version).is_some());
                rows += by.count();
            }
            if pair.provider == service {
                rows += (pair.content(newest) + 1).min(CONTENTS_VERIFIED) as usize;
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_are_distinct_and_nobody_consumes_themselves() {
        let size = Size { pacticipants: 500, versions: 200 };
        let pairs = size.pairs();
        let mut ends: Vec<_> = pairs.iter().map(|p| (p.consumer, p.provider)).collect();
        assert!(ends.iter().all(|(consumer, provider)| consumer != provider));
        ends.sort_unstable();
        ends.dedup();
        assert_eq!(ends.len(), pairs.len());
        assert!(pairs.iter().filter(|p| p.provider == 1).count() >= HUB_CONSUMERS as usize);
    }

    #[test]
    fn answers_are_of_all_three_kinds() {
        let size = Size { pacticipants: 500, versions: 200 };
        let pairs = size.pairs();
        assert_eq!(size.deploy(&pairs, 7, 199).deployable(), Some(true));
        // 192 is the last version that failed, 0 verified nothing of today.
        assert_eq!(size.deploy(&pairs, 7, 192).deployable(), Some(false));
        assert_eq!(size.deploy(&pairs, 7, 0).deployable(), None);
    }
}
