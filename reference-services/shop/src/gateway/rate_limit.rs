//! How often each consumer may call: a token bucket per consumer.

use std::time::Duration;

use parking_lot::Mutex;
use tracepact_base::SharedClock;

use crate::bounded::BoundedMap;

/// Most consumers tracked; the one seen first is forgotten first, and starts again with a full bucket.
const CONSUMERS_MAX: usize = 10_000;

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_at_ns: u64,
}

/// The buckets.
#[derive(Debug)]
pub struct RateLimit {
    buckets: Mutex<BoundedMap<String, Bucket>>,
    per_second: f64,
    burst: f64,
    clock: SharedClock,
}

impl RateLimit {
    /// Allows each consumer `per_second` calls on average and `burst` at once. Both are at least a little above zero.
    pub fn new(per_second: f64, burst: u32, clock: SharedClock) -> Self {
        Self {
            buckets: Mutex::new(BoundedMap::new(CONSUMERS_MAX)),
            per_second: if per_second.is_finite() { per_second.max(0.001) } else { 1e9 },
            burst: f64::from(burst.max(1)),
            clock,
        }
    }

    /// Takes one call from the consumer's bucket.
    ///
    /// # Errors
    /// How long to wait, when the bucket is empty.
    pub fn take(&self, consumer: &str) -> Result<(), Duration> {
        let now = self.clock.monotonic_ns();
        let mut buckets = self.buckets.lock();
        let bucket = buckets
            .get_or_insert_with(consumer.to_owned(), || Bucket { tokens: self.burst, filled_at_ns: now });
        let elapsed_s = now.saturating_sub(bucket.filled_at_ns) as f64 / 1e9;
        bucket.tokens = (bucket.tokens + elapsed_s * self.per_second).min(self.burst);
        bucket.filled_at_ns = now;
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.per_second));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tracepact_base::ManualClock;

    use super::*;

    #[test]
    fn each_consumer_has_its_own_bucket_that_fills_with_time() {
        let clock = ManualClock::at(0);
        let limit = RateLimit::new(10.0, 2, clock.clone());
        assert_eq!((limit.take("web"), limit.take("web")), (Ok(()), Ok(())));
        let wait = limit.take("web").unwrap_err();
        assert!((90..=100).contains(&wait.as_millis()), "{wait:?}");
        assert_eq!(limit.take("app"), Ok(()));
        clock.advance_ns(100_000_000);
        assert_eq!(limit.take("web"), Ok(()));
        assert!(limit.take("web").is_err());
        clock.advance_ns(60_000_000_000);
        assert_eq!((limit.take("web"), limit.take("web")), (Ok(()), Ok(())));
        assert!(limit.take("web").is_err());
    }
}
