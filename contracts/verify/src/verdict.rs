//! The gate's answer as it comes over HTTP (`GET /tracepact/v1/contracts/can-i-deploy`).

use serde::{Deserialize, Serialize};

/// Yes, no or unknown, with the reason for each pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// `true` yes, `false` no, absent unknown (which a gate treats as no).
    #[serde(default)]
    pub deployable: Option<bool>,
    /// One sentence.
    pub reason: String,
    /// One row for each pair of versions that was looked at.
    #[serde(default)]
    pub rows: Vec<VerdictRow>,
    /// Remarks: ignored pairs, first deploy, what to record.
    #[serde(default)]
    pub notices: Vec<String>,
    /// Why not, or what to know before going on, in the broker's words.
    #[serde(default)]
    pub explain: Vec<Explained>,
    /// Waivers that let pairs pass which do not hold.
    #[serde(default)]
    pub waivers: Vec<UsedWaiver>,
    /// A trace in which this breakage was seen, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<serde_json::Value>,
}

/// One thing that stands in the way or should be known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// What it is about: `failed`, `unverified`, `nobody_there`, `missing_version`, `empty_environment`, `waived`.
    pub kind: String,
    /// All of it, for people: what is the case, who clears it, how, and whether waiting helps.
    pub text: String,
    /// Whose people or pipeline can act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The command that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Whether waiting is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clears_by_itself: Option<bool>,
}

/// A waiver that an answer rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsedWaiver {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Why it was given.
    pub reason: String,
    /// Who gave it.
    pub by: String,
    /// The second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When it ends, RFC 3339.
    pub expires_at: String,
}

/// One pair of versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerdictRow {
    /// The consumer.
    pub consumer: String,
    /// Its version.
    #[serde(default)]
    pub consumer_version: Option<String>,
    /// The provider.
    pub provider: String,
    /// Its version; absent when none was verified.
    #[serde(default)]
    pub provider_version: Option<String>,
    /// `pact`, or `accepted` for a contract the provider accepted whose consumer is not deployed yet.
    #[serde(default)]
    pub kind: Option<String>,
    /// Verified, failed, or absent for no result.
    #[serde(default)]
    pub success: Option<bool>,
    /// What failed.
    #[serde(default)]
    pub mismatches: Vec<Mismatch>,
    /// Which job on whose side clears it.
    #[serde(default)]
    pub clears: Option<String>,
    /// Who posted the result, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_by: Option<String>,
    /// The waiver because of which it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived_by: Option<String>,
    /// Left out of the decision because it was asked for.
    #[serde(default)]
    pub ignored: bool,
}

/// One difference between what was agreed and what the provider did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mismatch {
    /// The interaction's description.
    #[serde(default)]
    pub interaction: Option<String>,
    /// What differed.
    pub description: String,
}

impl Verdict {
    /// The exit code: 0 for yes, 1 for no and for unknown.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.deployable != Some(true))
    }

    /// The answer in one word.
    pub fn word(&self) -> &'static str {
        match self.deployable {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        }
    }

    /// Everything for people: the table, the remarks, and what is in the way with who clears it and how.
    pub fn details(&self) -> String {
        let mut text = String::new();
        if !self.rows.is_empty() {
            text.push('\n');
            text.push_str(&self.table());
        }
        for notice in &self.notices {
            if !self.explain.iter().any(|e| &e.text == notice) {
                text.push_str(&format!("note: {notice}\n"));
            }
        }
        for waiver in &self.waivers {
            let second =
                waiver.approved_by.as_ref().map(|who| format!(", approved by {who}")).unwrap_or_default();
            text.push_str(&format!(
                "waiver {:?} of {}{second}, until {}: {}\n",
                waiver.name, waiver.by, waiver.expires_at, waiver.reason
            ));
        }
        if !self.explain.is_empty() {
            text.push('\n');
            for told in &self.explain {
                text.push_str(&format!("- {}\n", told.text));
            }
        }
        text
    }

    /// A table for people: every pair, and what failed.
    pub fn table(&self) -> String {
        let mut cells =
            vec![["CONSUMER", "VERSION", "PROVIDER", "VERSION", "KIND", "RESULT"].map(str::to_owned)];
        for row in &self.rows {
            cells.push([
                row.consumer.clone(),
                row.consumer_version.clone().unwrap_or_else(|| "-".into()),
                row.provider.clone(),
                row.provider_version.clone().unwrap_or_else(|| "-".into()),
                row.kind.clone().unwrap_or_else(|| "pact".into()),
                result_word(row),
            ]);
        }
        let widths: Vec<usize> =
            (0..6).map(|i| cells.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
        let mut text = String::new();
        for (index, row) in cells.iter().enumerate() {
            let line: Vec<String> = row.iter().zip(&widths).map(|(cell, w)| format!("{cell:<w$}")).collect();
            text.push_str(line.join("  ").trim_end());
            text.push('\n');
            let Some(about) = index.checked_sub(1).and_then(|i| self.rows.get(i)) else { continue };
            for mismatch in &about.mismatches {
                let interaction = mismatch.interaction.as_deref().unwrap_or("interaction");
                text.push_str(&format!("    {interaction}: {}\n", mismatch.description));
            }
        }
        text
    }
}

fn result_word(row: &VerdictRow) -> String {
    let word = match row.success {
        Some(true) => "verified",
        Some(false) => "FAILED",
        None => "no result",
    };
    match (&row.waived_by, row.ignored) {
        (Some(waiver), _) => format!("{word} (waived: {waiver})"),
        (None, true) => format!("{word} (ignored)"),
        (None, false) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keeps_the_gate_closed() {
        let verdict: Verdict =
            serde_json::from_str(r#"{"deployable":null,"reason":"no result yet"}"#).unwrap();
        assert_eq!((verdict.exit_code(), verdict.word()), (1, "unknown"));
    }

    #[test]
    fn people_are_told_what_failed_what_clears_it_and_who_waived_what() {
        let verdict: Verdict = serde_json::from_str(
            r#"{"deployable":false,"reason":"r","rows":[{"consumer":"orders","consumer_version":"1","provider":"products",
            "provider_version":"v2","kind":"accepted","success":false,"clears":"fix products",
            "waived_by":"hotfix","mismatches":[{"interaction":"a product by id","description":"expected status 200 but was 404"}]}],
            "notices":["WARN: w","products does it."],"explain":[{"kind":"failed","text":"products does it."}],
            "waivers":[{"id":"1","name":"hotfix","reason":"down","by":"Ada","expires_at":"2026-01-01T00:00:00Z"}]}"#,
        )
        .unwrap();
        let text = verdict.details();
        for part in [
            "accepted",
            "FAILED (waived: hotfix)",
            "a product by id: expected status 200 but was 404",
            "note: WARN: w",
            "- products does it.",
            "waiver \"hotfix\" of Ada, until 2026-01-01T00:00:00Z: down",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert_eq!(text.matches("products does it.").count(), 1);
    }
}
