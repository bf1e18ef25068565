//! Spans: how many ended in the services by their own count, and how many distinct ones are stored.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use tracepact_tests::until_ok;

use super::world::World;

/// Length of one question for stored traces.
const WINDOW_MS: u64 = 2_000;
/// The most that one question may ask for; a window of the demo holds far fewer.
const TRACES_MAX: usize = 5_000;

/// A service's own counters of sampled spans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) ended: u64,
    pub(crate) exported: u64,
    pub(crate) given_up: u64,
}

/// The counters in a service's `/metrics` page.
pub(crate) fn counts(metrics: &str) -> Counts {
    let sum = |name: &str, label: &str| {
        metrics
            .lines()
            .filter(|l| l.starts_with(name) && l.contains(label))
            .filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok())
            .sum::<f64>() as u64
    };
    Counts {
        ended: sum("tracepact_kit_spans_ended_total", "sampled=\"true\""),
        exported: sum("tracepact_kit_spans_exported_total", ""),
        given_up: sum("tracepact_kit_spans_given_up_total", ""),
    }
}

/// The counters a service writes into its log when it has flushed and ends.
pub(crate) fn final_counts(log: &str) -> anyhow::Result<Counts> {
    let line = log
        .lines()
        .rev()
        .find(|l| l.contains("spans_ended"))
        .context("a stopped service did not say how many spans it ended")?;
    let line: Value = serde_json::from_str(line).context("a log line of a service is not JSON")?;
    let field = |name: &str| {
        let value = line.get(name).or_else(|| line.pointer(&format!("/fields/{name}")));
        value.and_then(Value::as_u64).with_context(|| format!("no {name} in {line}"))
    };
    Ok(Counts {
        ended: field("spans_ended")?,
        exported: field("spans_exported")?,
        given_up: field("spans_given_up")?,
    })
}

impl World {
    /// Waits until every running service has handed over all its spans, then sums the counters, those of processes
    /// that ended included.
    pub(crate) async fn spans_ended(&self) -> anyhow::Result<Counts> {
        let mut names: Vec<String> = self.processes.names();
        names.retain(|n| n != "tracepact" && n != "kafka");
        until_ok(Duration::from_secs(60), "the services to hand over their spans", async || {
            let mut sum = Counts {
                ended: self.facts.spans_ended_before,
                exported: self.facts.spans_ended_before - self.facts.spans_given_up_before,
                given_up: self.facts.spans_given_up_before,
            };
            for name in &names {
                let api = tracepact_tests::Api::new(&self.processes.get(name)?.address("http")?)?;
                let own = counts(&api.text("/metrics").await?);
                sum.ended += own.ended;
                sum.exported += own.exported;
                sum.given_up += own.given_up;
            }
            anyhow::ensure!(sum.exported + sum.given_up >= sum.ended, "{sum:?}");
            Ok(Some(sum))
        })
        .await
    }

    /// Counts distinct stored spans of the shop between two instants (milliseconds since 1970), by id and side.
    pub(crate) async fn spans_stored(&self, from_ms: u64, to_ms: u64) -> anyhow::Result<u64> {
        let mut seen: BTreeSet<(String, String, bool)> = BTreeSet::new();
        let mut end = from_ms + WINDOW_MS;
        while end < to_ms + WINDOW_MS {
            let path = format!("/api/v2/traces?endTs={end}&lookback={WINDOW_MS}&limit={TRACES_MAX}");
            let traces = self.api.get(&path).await?;
            for span in traces.as_array().context("not a list")?.iter().filter_map(Value::as_array).flatten()
            {
                let text = |key: &str| span.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                if span.pointer("/localEndpoint/serviceName").and_then(Value::as_str) == Some("demo-probe") {
                    continue;
                }
                seen.insert((text("traceId"), text("id"), span.get("shared").is_some()));
            }
            end += WINDOW_MS;
        }
        Ok(seen.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_from_metrics_and_from_the_last_log_line() {
        let page = "tracepact_kit_spans_ended_total{sampled=\"false\"} 9\ntracepact_kit_spans_ended_total{sampled=\"true\"} 4\n\
                    tracepact_kit_spans_exported_total 3\ntracepact_kit_spans_given_up_total{reason=\"x\"} 1\n";
        assert_eq!(counts(page), Counts { ended: 4, exported: 3, given_up: 1 });
        let log = "{\"message\":\"hello\"}\n{\"message\":\"bye\",\"spans_ended\":4,\"spans_exported\":3,\"spans_given_up\":1}\n";
        assert_eq!(final_counts(log).unwrap(), Counts { ended: 4, exported: 3, given_up: 1 });
        assert!(final_counts("nothing").is_err());
    }
}
