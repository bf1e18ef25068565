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
    /// A trace in which this breakage was seen, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<serde_json::Value>,
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

    /// A table for people: every pair, what failed, and what clears it.
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
                match row.success {
                    Some(true) => "verified".into(),
                    Some(false) => "FAILED".into(),
                    None => "no result".into(),
                },
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
            if about.success != Some(true)
                && let Some(clears) = &about.clears
            {
                text.push_str(&format!("    clears: {clears}\n"));
            }
        }
        text
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
    fn the_table_says_what_failed_and_what_clears_it() {
        let verdict: Verdict = serde_json::from_str(
            r#"{"deployable":false,"reason":"r","rows":[{"consumer":"orders","consumer_version":"1","provider":"products",
            "provider_version":"v2","kind":"accepted","success":false,"clears":"fix products",
            "mismatches":[{"interaction":"a product by id","description":"expected status 200 but was 404"}]}]}"#,
        )
        .unwrap();
        let table = verdict.table();
        for part in
            ["accepted", "FAILED", "a product by id: expected status 200 but was 404", "clears: fix products"]
        {
            assert!(table.contains(part), "{part} is not in\n{table}");
        }
    }
}
