//! What did not hold, read out of a verifier's report.

use tracepact_contract_model::Pact;
use tracepact_gate::Mismatch;

/// Most mismatches told of one result.
const MISMATCHES_MAX: usize = 20;

/// What did not hold, out of the verifier's own report.
pub(super) fn mismatches(test_results: Option<&str>, pact: Option<&Pact>) -> Vec<Mismatch> {
    let report: serde_json::Value =
        test_results.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
    let list = report.as_array().or_else(|| report.get("tests").and_then(|t| t.as_array()));
    let mut out = Vec::new();
    for test in list.into_iter().flatten() {
        if test.get("success") != Some(&serde_json::Value::Bool(false)) {
            continue;
        }
        let text =
            |value: &serde_json::Value, key: &str| value.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        let known = text(test, "interactionId").and_then(|id| pact.and_then(|p| p.interaction(&id)));
        let interaction = known
            .map(|i| i.description.clone())
            .or_else(|| text(test, "interactionDescription"))
            .unwrap_or_else(|| "an interaction".into());
        let operation = known.and_then(|i| i.operation.clone());
        let mut told: Vec<String> = Vec::new();
        for (key, field) in [("mismatches", "description"), ("exceptions", "message")] {
            for item in test.get(key).and_then(|m| m.as_array()).into_iter().flatten() {
                let attribute = text(item, "attribute").filter(|a| key == "mismatches" && !a.is_empty());
                let words = text(item, field).unwrap_or_else(|| item.to_string());
                told.push(attribute.map_or(words.clone(), |a| format!("{a}: {words}")));
            }
        }
        if told.is_empty() {
            told.push("it failed; the verifier gave no details".into());
        }
        out.extend(told.into_iter().map(|description| Mismatch {
            interaction: interaction.clone(),
            operation: operation.clone(),
            description: description.chars().take(500).collect(),
        }));
        if out.len() >= MISMATCHES_MAX {
            break;
        }
    }
    out.truncate(MISMATCHES_MAX);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_every_verifier_are_read_and_bounded() {
        let of = |report: &str| mismatches(Some(report), None);
        let rust = r#"[{"interactionId":"x","interactionDescription":"an item","success":false,
            "mismatches":[{"attribute":"status","description":"expected 200 but was 500"}],"exceptions":[{"message":"refused"}]},
            {"interactionId":"y","success":true}]"#;
        let told: Vec<_> = of(rust).into_iter().map(|m| (m.interaction, m.description)).collect();
        let item = |text: &str| ("an item".to_owned(), text.to_owned());
        assert_eq!(told, [item("status: expected 200 but was 500"), item("refused")]);
        // pact-jvm sends ids and success only.
        assert_eq!(of(r#"[{"interactionId":"x","success":false}]"#).len(), 1);
        for odd in ["", "{}", "null", "[1,null,{\"success\":false,\"mismatches\":7}]", "{"] {
            let _ = of(odd);
        }
        let many = format!("[{}]", vec![r#"{"success":false}"#; 500].join(","));
        assert_eq!(of(&many).len(), MISMATCHES_MAX);
    }
}
