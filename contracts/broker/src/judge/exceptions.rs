//! What made rows not count: written down with the answer, and told when the answer is new.

use serde::Serialize;
use tracepact_base::EventKind;
use tracepact_gate::Verdict;

use crate::broker::{about, tell};
use crate::store::decisions::DecisionRow;
use crate::store::{Conn, waivers};
use crate::{Broker, BrokerError};

/// The exceptions that one answer rests on.
#[derive(Debug, Default, Serialize)]
pub(super) struct Exceptions {
    /// `consumer → provider` of rows that were ignored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<String>,
    /// Waivers that let rows pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waivers: Vec<Used>,
}

#[derive(Debug, Serialize)]
struct Used {
    id: String,
    name: String,
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
}

impl Exceptions {
    pub(super) fn of(verdict: &Verdict) -> Self {
        let ignored = verdict
            .rows
            .iter()
            .filter(|row| row.ignored)
            .map(|row| format!("{} → {}", row.consumer, row.provider));
        let used = verdict.waivers.iter().map(|w| Used {
            id: w.id.clone(),
            name: w.name.clone(),
            by: w.by.clone(),
            approved_by: w.approved_by.clone(),
        });
        Self { ignored: ignored.collect(), waivers: used.collect() }
    }

    fn is_empty(&self) -> bool {
        self.ignored.is_empty() && self.waivers.is_empty()
    }

    /// As the decision keeps them; `None` when there are none.
    pub(super) fn json(&self) -> Option<String> {
        (!self.is_empty()).then(|| serde_json::to_string(self).ok()).flatten()
    }
}

impl Broker {
    /// Writes each use of a waiver into its history, and tells of waivers and ignored rows.
    pub(super) async fn audit_exceptions(
        &self,
        conn: &mut Conn,
        exceptions: &Exceptions,
        decision: &DecisionRow,
    ) -> Result<(), BrokerError> {
        if exceptions.is_empty() {
            return Ok(());
        }
        let DecisionRow { pacticipant, version, environment, .. } = decision;
        let deploy = format!("{pacticipant} {version} to {environment}");
        for used in &exceptions.waivers {
            let waiver = waivers::get(conn, &used.id).await?;
            waivers::note(conn, waiver.id, "used", None, Some(&deploy), decision.at).await?;
            let title =
                format!("The waiver {:?} lets {deploy} pass a contract that does not hold", used.name);
            let event = about(self.event(EventKind::ContractChange, title), pacticipant)
                .because(waiver.reason)
                .with("action", "waiver_used")
                .with("waiver", used.id.as_str())
                .with("version", version.as_str())
                .with("environment", environment.as_str());
            tell(conn, event.link("contract", "/contracts")).await?;
        }
        if !exceptions.ignored.is_empty() {
            let title = format!("{} pair(s) were ignored for {deploy}", exceptions.ignored.len());
            let event = about(self.event(EventKind::ContractChange, title), pacticipant)
                .because(exceptions.ignored.join(", "))
                .with("action", "ignored")
                .with("version", version.as_str())
                .with("environment", environment.as_str());
            tell(conn, event.link("contract", "/contracts")).await?;
        }
        Ok(())
    }
}
