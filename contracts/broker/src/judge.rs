//! The gate at work: has the history gathered and judged, finds the trace of a breakage, and keeps the answer.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tracepact_base::{EventKind, Link};
use tracepact_gate::{Outcome, Target, Verdict, decide};

use crate::broker::{about, on_edge, tell};
use crate::hooks::{CountedDecision, TraceQuestion};
use crate::store::decisions;
use crate::store::verifications::Verification;
use crate::{Broker, BrokerError};

pub(crate) mod asking;
mod exceptions;
mod gather;
mod mismatches;
mod resolve;
pub(crate) mod waiting;

use exceptions::Exceptions;
use gather::gather;

/// Longest wait for a trace of the breakage.
const TRACE_WAIT_MAX: Duration = Duration::from_millis(500);

/// One `q[]` of a question.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) pacticipant: String,
    pub(crate) version: Option<String>,
    pub(crate) latest: bool,
    pub(crate) branch: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) main_branch: bool,
}

/// A question as it comes over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct DeployQuestion {
    pub(crate) asked: Vec<Asked>,
    pub(crate) target: Target,
    pub(crate) ignore: Vec<(String, Option<String>)>,
    /// Without a target: only the provider version verified last for each pact.
    pub(crate) last_only: bool,
}

impl DeployQuestion {
    /// May this version go to that environment?
    pub(crate) fn to_environment(pacticipant: &str, version: &str, environment: &str) -> Self {
        Self {
            asked: vec![Asked {
                pacticipant: pacticipant.to_owned(),
                version: Some(version.to_owned()),
                ..Asked::default()
            }],
            target: Target::Environment(environment.to_owned()),
            ignore: Vec::new(),
            last_only: false,
        }
    }
}

/// An answer, with what its presentation needs.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// The results that the rows name, by number.
    pub(crate) results: BTreeMap<i64, Verification>,
    /// Ids of the versions that the rows name, by pacticipant and number.
    pub(crate) version_ids: HashMap<(String, String), i64>,
    /// A trace in which the breakage was seen.
    pub(crate) trace: Option<Link>,
}

impl Broker {
    /// Answers a deploy question over everything stored. Keeps the answer when it is about one version and one
    /// environment.
    pub(crate) async fn judge(&self, asked: &DeployQuestion) -> Result<Judgement, BrokerError> {
        let judgement = self.look(asked).await?;
        if let ([one], Target::Environment(environment)) = (asked.asked.as_slice(), &asked.target)
            && let Some(version) = &one.version
        {
            self.keep(&one.pacticipant, version, environment, &judgement).await;
        }
        Ok(judgement)
    }

    /// The same answer, for who only looks: nothing is kept or counted.
    pub(crate) async fn look(&self, asked: &DeployQuestion) -> Result<Judgement, BrokerError> {
        let mut read = self.store().read().await?;
        let (question, gathered) = gather(&mut read, asked, self.now()).await?;
        drop(read);
        let verdict = decide(&question, &gathered.history);
        let mut judgement =
            Judgement { verdict, results: gathered.results, version_ids: gathered.version_ids, trace: None };
        if judgement.verdict.deployable != Some(true) {
            judgement.trace = self.trace_of(&judgement.verdict).await;
        }
        Ok(judgement)
    }

    /// Whether the answer is more than "unknown".
    async fn known(&self, asked: &DeployQuestion) -> Result<bool, BrokerError> {
        let mut read = self.store().read().await?;
        let (question, gathered) = gather(&mut read, asked, self.now()).await?;
        Ok(decide(&question, &gathered.history).deployable.is_some())
    }

    async fn trace_of(&self, verdict: &Verdict) -> Option<Link> {
        let finder = self.trace_finder()?;
        let failed = verdict.rows.iter().filter(|row| row.counts() && row.outcome == Outcome::Failed);
        for row in failed {
            for mismatch in &row.mismatches {
                let operation = mismatch.operation.as_deref().and_then(|o| o.split_once(' '));
                let question = TraceQuestion {
                    consumer: row.consumer.clone(),
                    provider: row.provider.clone(),
                    interaction: mismatch.interaction.clone(),
                    method: operation.map(|(method, _)| method.to_owned()),
                    path: operation.map(|(_, path)| path.to_owned()),
                };
                match tokio::time::timeout(TRACE_WAIT_MAX, finder.find(&question)).await {
                    Ok(Some(link)) => return Some(link),
                    Ok(None) => {}
                    Err(_) => return None,
                }
            }
        }
        None
    }

    /// The answer holds whether or not it could be written down, so a failure here is logged and no more.
    async fn keep(&self, pacticipant: &str, version: &str, environment: &str, judgement: &Judgement) {
        let result = match judgement.verdict.deployable {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        if let Some(counter) = self.counter() {
            counter.count(CountedDecision { pacticipant, environment, result, at_ns: self.now_ns() });
        }
        if let Err(error) = self.write_down(pacticipant, version, environment, result, judgement).await {
            tracing::error!(%error, pacticipant, version, environment, "the gate's answer could not be kept");
        }
    }

    async fn write_down(
        &self,
        pacticipant: &str,
        version: &str,
        environment: &str,
        result: &str,
        judgement: &Judgement,
    ) -> Result<(), BrokerError> {
        let now = self.now();
        let exceptions = Exceptions::of(&judgement.verdict);
        let row = decisions::DecisionRow {
            pacticipant: pacticipant.to_owned(),
            version: version.to_owned(),
            environment: environment.to_owned(),
            deployable: judgement.verdict.deployable,
            reason: judgement.verdict.reason(),
            trace: judgement.trace.as_ref().map(|link| link.href.clone()),
            exceptions: exceptions.json(),
            times: 1,
            at: now,
            last_at: now,
        };
        let mut write = self.store().write().await?;
        let changed = decisions::record(write.conn(), &row).await?;
        if changed {
            self.audit_exceptions(write.conn(), &exceptions, &row).await?;
        }
        if changed && judgement.verdict.deployable != Some(true) {
            let title = format!("{pacticipant} {version} may not go to {environment}");
            let mut event = about(self.event(EventKind::GateRefusal, title), pacticipant)
                .because(row.reason)
                .with("version", version)
                .with("environment", environment)
                .with("result", result);
            if let Some(failed) =
                judgement.verdict.rows.iter().find(|r| r.counts() && r.outcome == Outcome::Failed)
            {
                event = on_edge(event, &failed.consumer, &failed.provider)
                    .with("consumer", failed.consumer.as_str())
                    .with("provider", failed.provider.as_str());
                if let Some(mismatch) = failed.mismatches.first() {
                    event = event.with("interaction", mismatch.interaction.as_str());
                }
            }
            event = event.link("contract", "/contracts");
            if let Some(link) = &judgement.trace {
                event = event.link(&link.rel, link.href.as_str());
            }
            tell(write.conn(), event).await?;
        }
        self.commit(write).await
    }
}
