//! A verification as JUnit XML, the form in which build servers show test results.
//!
//! One test suite for each consumer, one test case for each interaction. A failed pending interaction is *skipped*, since it
//! does not fail the build. The form is the common subset that Jenkins, GitLab, GitHub's reporters and Azure read.

use std::fmt::Write as _;

use crate::{InteractionOutcome, Outcome};

/// The XML document for a verification of `provider` in `version`.
pub fn junit(provider: &str, version: &str, outcome: &Outcome) -> String {
    let mut consumers: Vec<&str> = Vec::new();
    for interaction in &outcome.interactions {
        if !consumers.contains(&interaction.consumer.as_str()) {
            consumers.push(&interaction.consumer);
        }
    }
    let all: Vec<&InteractionOutcome> = outcome.interactions.iter().collect();
    let (failures, skipped) = counts(&all);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = text(&format!("{provider} {version}"));
    let _ = writeln!(
        xml,
        "<testsuites name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">",
        all.len()
    );
    for consumer in consumers {
        let cases: Vec<&InteractionOutcome> =
            all.iter().copied().filter(|i| i.consumer == consumer).collect();
        let (failures, skipped) = counts(&cases);
        let suite = text(&format!("{consumer} → {provider}"));
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{suite}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">",
            cases.len()
        );
        for case in cases {
            write_case(&mut xml, consumer, provider, case);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// Failures that fail the build, and those that do not.
fn counts(list: &[&InteractionOutcome]) -> (usize, usize) {
    let failed = |pending: bool| list.iter().filter(|i| !i.ok && i.pending == pending).count();
    (failed(false), failed(true))
}

fn write_case(xml: &mut String, consumer: &str, provider: &str, case: &InteractionOutcome) {
    let class = text(&format!("{provider}.{consumer}"));
    let name = text(&case.interaction);
    if case.ok {
        let _ = writeln!(xml, "    <testcase classname=\"{class}\" name=\"{name}\"/>");
        return;
    }
    let _ = writeln!(xml, "    <testcase classname=\"{class}\" name=\"{name}\">");
    let first = text(case.mismatches.first().map_or("the contract does not hold", String::as_str));
    if case.pending {
        let _ = writeln!(xml, "      <skipped message=\"pending, does not fail the build: {first}\"/>");
        let _ = writeln!(xml, "      <system-out>{}</system-out>", text(&case.mismatches.join("\n")));
    } else {
        let _ = writeln!(
            xml,
            "      <failure message=\"{first}\" type=\"contract\">{}</failure>",
            text(&case.mismatches.join("\n"))
        );
    }
    xml.push_str("    </testcase>\n");
}

/// Text for content and attributes. XML 1.0 has no place for most control characters, not even escaped.
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(interaction: &str, ok: bool, pending: bool) -> InteractionOutcome {
        InteractionOutcome {
            consumer: "web <shop>".into(),
            interaction: interaction.into(),
            ok,
            pending,
            mismatches: if ok { vec![] } else { vec!["expected \"200\"\nbut was\u{0} 404 ]]>".into()] },
            differences: vec![],
        }
    }

    #[test]
    fn failures_fail_pending_ones_are_skipped_and_text_is_escaped() {
        let outcome = Outcome {
            ok: false,
            interactions: vec![
                case("a & b", true, false),
                case("broken", false, false),
                case("new", false, true),
            ],
            notices: vec![],
            published: false,
        };
        let xml = junit("catalog", "2", &outcome);
        let suite = "<testsuite name=\"web &lt;shop&gt; → catalog\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\">";
        for part in [
            suite,
            "name=\"a &amp; b\"/>",
            "<failure message=\"expected &quot;200&quot;&#10;but was\u{fffd} 404 ]]&gt;\"",
            "<skipped message=\"pending",
        ] {
            assert!(xml.contains(part), "{part} is not in\n{xml}");
        }
        assert!(xml.chars().all(|c| !c.is_control() || c == '\n'));
    }
}
