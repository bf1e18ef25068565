//! `${pactbroker.NAME}` in a webhook's address, headers and body.
//!
//! The names are the Pact Broker's (its page "dynamic variable substitution"); those of proposals and deliveries are ours.
//! A name that is not known stays as it is written, as there.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What a name stands for in one delivery.
pub(crate) type Variables = BTreeMap<String, String>;

const OPEN: &str = "${pactbroker.";

/// How a value is written where it lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Into {
    /// A part of an address: encoded, so that no value can change which part of the address it is in.
    Address,
    /// A header: without line breaks.
    Header,
    /// A text, as it is.
    Text,
}

/// The address with its variables filled in.
pub(crate) fn address(template: &str, variables: &Variables) -> String {
    fill(template, variables, Into::Address)
}

/// A header's value with its variables filled in.
pub(crate) fn header(template: &str, variables: &Variables) -> String {
    fill(template, variables, Into::Header)
}

/// A body that is plain text with its variables filled in.
pub(crate) fn text(template: &str, variables: &Variables) -> String {
    fill(template, variables, Into::Text)
}

/// A JSON body with the variables in its strings filled in; no value can leave the string it lands in.
pub(crate) fn json(template: &Value, variables: &Variables) -> Value {
    match template {
        Value::String(string) => Value::String(text(string, variables)),
        Value::Array(items) => Value::Array(items.iter().map(|item| json(item, variables)).collect()),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(name, value)| (text(name, variables), json(value, variables))).collect(),
        ),
        other => other.clone(),
    }
}

/// The text with a plain `x` for every variable, for checks of what surrounds them.
pub(crate) fn without_variables(template: &str) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find(OPEN) {
        let Some(end) = rest[start..].find('}') else { break };
        out.push_str(&rest[..start]);
        out.push('x');
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    out
}

fn fill(template: &str, variables: &Variables, into: Into) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find(OPEN) {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let inner = &from[OPEN.len()..];
        let known = inner.find('}').and_then(|end| Some((variables.get(&inner[..end])?, end)));
        match known {
            Some((value, end)) => {
                push(&mut out, value, into);
                rest = &inner[end + 1..];
            }
            None => {
                out.push_str(OPEN);
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    out
}

fn push(out: &mut String, value: &str, into: Into) {
    match into {
        Into::Address => out.extend(utf8_percent_encode(value, NON_ALPHANUMERIC)),
        Into::Header => out.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c })),
        Into::Text => out.push_str(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json as value;

    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values_stay_where_they_land() {
        let known = variables(&[("consumerName", "a/b?c=\"1\"\r\nX: y"), ("eventName", "test")]);
        assert_eq!(
            address("https://ci/${pactbroker.consumerName}?e=${pactbroker.eventName}", &known),
            "https://ci/a%2Fb%3Fc%3D%221%22%0D%0AX%3A%20y?e=test"
        );
        assert_eq!(header("${pactbroker.consumerName}", &known), "a/b?c=\"1\"  X: y");
        let body = json(&value!({ "a": ["x ${pactbroker.consumerName}"], "n": 1 }), &known);
        assert_eq!(body, value!({ "a": ["x a/b?c=\"1\"\r\nX: y"], "n": 1 }));
    }

    #[test]
    fn unknown_names_and_loose_ends_stay() {
        let known = variables(&[("eventName", "${pactbroker.eventName}")]);
        for same in ["${pactbroker.other}", "${pactbroker.", "${pactbroker.eventName", "${x}", "$", ""] {
            assert_eq!(text(same, &known), same);
        }
        // What a value says is not filled in again.
        assert_eq!(text("<${pactbroker.eventName}>", &known), "<${pactbroker.eventName}>");
        assert_eq!(
            text("${pactbroker.${pactbroker.eventName}", &known),
            "${pactbroker.${pactbroker.eventName}"
        );
    }

    proptest! {
        #[test]
        fn nothing_but_known_names_changes(template in ".{0,80}", name in "[a-z]{1,4}") {
            let known = variables(&[(&name, "value")]);
            if !template.contains(OPEN) {
                prop_assert_eq!(text(&template, &known), template.clone());
            }
            let with = format!("{template}${{pactbroker.{name}}}");
            prop_assert!(text(&with, &known).ends_with("value"));
        }
    }
}
