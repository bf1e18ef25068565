//! Latency and faults of a stub: for all requests by its options, for one request by its headers.

use std::time::Duration;

use axum::http::HeaderMap;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::Error;

/// Longest latency.
const LATENCY_MAX_MS: u64 = 60_000;
/// Header of a request: how long to wait before the answer, in milliseconds.
pub(super) const LATENCY_HEADER: &str = "tracepact-stub-latency-ms";
/// Header of a request: the fault to answer with: a status of 400 to 599, `reset` or `hang`.
pub(super) const FAULT_HEADER: &str = "tracepact-stub-fault";

/// A fault instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// This status, without a body that means anything.
    Status(u16),
    /// The connection ends in the middle of the answer.
    Reset,
    /// No answer for as long as the client waits (a minute at most).
    Hang,
}

impl Fault {
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "reset" => Ok(Self::Reset),
            "hang" => Ok(Self::Hang),
            other => match other.parse::<u16>() {
                Ok(status) if (400..=599).contains(&status) => Ok(Self::Status(status)),
                _ => Err(format!("{other:?} is no fault: write a status of 400 to 599, reset or hang")),
            },
        }
    }
}

/// Latency and faults of a stub.
#[derive(Debug)]
pub struct Faults {
    latency_ms: u64,
    jitter_ms: u64,
    rate: f64,
    fault: Fault,
    random: StdRng,
}

impl Faults {
    /// `latency_ms` plus up to `jitter_ms` before every answer; `fault` instead of an answer for the share `rate` (0 to
    /// 1) of requests. The same seed gives the same sequence.
    ///
    /// # Errors
    /// When a value is out of its bounds.
    pub fn new(latency_ms: u64, jitter_ms: u64, rate: f64, fault: &str, seed: u64) -> Result<Self, Error> {
        if latency_ms.saturating_add(jitter_ms) > LATENCY_MAX_MS {
            return Err(Error::Usage(format!("latency and jitter are at most {LATENCY_MAX_MS} ms together")));
        }
        if !(0.0..=1.0).contains(&rate) {
            return Err(Error::Usage(format!("the fault rate {rate} is not between 0 and 1")));
        }
        let fault = Fault::parse(fault).map_err(Error::Usage)?;
        Ok(Self { latency_ms, jitter_ms, rate, fault, random: StdRng::seed_from_u64(seed) })
    }

    /// What happens to one request: how long it waits, and the fault it ends with. The request's own headers win.
    pub(super) fn decide(&mut self, headers: &HeaderMap) -> Result<(Duration, Option<Fault>), String> {
        let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("?").to_owned());
        let latency = match text(LATENCY_HEADER) {
            Some(text) => match text.trim().parse::<u64>() {
                Ok(ms) if ms <= LATENCY_MAX_MS => ms,
                _ => return Err(format!("{LATENCY_HEADER}: {text:?} is not 0 to {LATENCY_MAX_MS}")),
            },
            None if self.jitter_ms > 0 => self.latency_ms + self.random.random_range(0..=self.jitter_ms),
            None => self.latency_ms,
        };
        let fault = match text(FAULT_HEADER) {
            Some(text) => Some(Fault::parse(&text).map_err(|e| format!("{FAULT_HEADER}: {e}"))?),
            None if self.rate > 0.0 && self.random.random_bool(self.rate) => Some(self.fault),
            None => None,
        };
        Ok((Duration::from_millis(latency), fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_win_and_nonsense_is_refused() {
        let mut faults = Faults::new(5, 0, 0.0, "503", 1).unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(faults.decide(&headers), Ok((Duration::from_millis(5), None)));
        headers.insert(LATENCY_HEADER, "7".parse().unwrap());
        headers.insert(FAULT_HEADER, "reset".parse().unwrap());
        assert_eq!(faults.decide(&headers), Ok((Duration::from_millis(7), Some(Fault::Reset))));
        headers.insert(FAULT_HEADER, "200".parse().unwrap());
        assert!(faults.decide(&headers).is_err());
        headers.insert(LATENCY_HEADER, "60001".parse().unwrap());
        assert!(faults.decide(&headers).is_err());
        for bad in [
            Faults::new(60_000, 1, 0.0, "503", 1),
            Faults::new(0, 0, 1.1, "503", 1),
            Faults::new(0, 0, 1.0, "no", 1),
        ] {
            assert_eq!(bad.unwrap_err().exit_code(), 2);
        }
    }

    #[test]
    fn the_share_of_faults_is_about_the_rate_and_repeats_with_its_seed() {
        let run = |seed| {
            let mut faults = Faults::new(0, 0, 0.3, "503", seed).unwrap();
            (0..1_000).map(|_| faults.decide(&HeaderMap::new()).unwrap().1.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        let hits = run(7).into_iter().filter(|f| *f).count();
        assert!((200..400).contains(&hits), "{hits}");
    }
}
