//! Matching rules of specification 4, as far as a change of meaning can be read from them.

use serde_json::Value;

/// One step of a path such as `$.items[*].id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
    Any,
}

/// The rules of one category (`body`, `header`, …).
#[derive(Debug, Default)]
pub(super) struct Rules {
    entries: Vec<(Vec<Step>, Value)>,
}

impl Rules {
    /// Reads `part.matchingRules.<category>`, where the keys are paths.
    pub(super) fn of(part: &Value, category: &str) -> Self {
        let mut entries = Vec::new();
        if let Some(Value::Object(rules)) = part.pointer(&format!("/matchingRules/{category}")) {
            for (path, rule) in rules {
                entries.push((steps(path), rule.clone()));
            }
        }
        Self { entries }
    }

    /// The rule that decides for `path`: that of the longest pattern which leads to it or above it.
    pub(super) fn at(&self, path: &[Step]) -> Option<&Value> {
        self.entries
            .iter()
            .filter(|(pattern, _)| {
                pattern.len() <= path.len()
                    && pattern.iter().zip(path).all(|(p, s)| p == s || *p == Step::Any)
            })
            .max_by_key(|(pattern, _)| (pattern.len(), pattern.iter().filter(|s| **s != Step::Any).count()))
            .map(|(_, rule)| rule)
    }

    /// Every pattern with its rule.
    pub(super) fn entries(&self) -> &[(Vec<Step>, Value)] {
        &self.entries
    }

    /// The rule of exactly this pattern.
    pub(super) fn exact(&self, pattern: &[Step]) -> Option<&Value> {
        self.entries.iter().find(|(p, _)| p == pattern).map(|(_, rule)| rule)
    }
}

/// `$.a['b'][0][*]` in steps.
pub(super) fn steps(path: &str) -> Vec<Step> {
    let mut out = Vec::new();
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("['") {
            let Some(end) = inner.find("']") else { break };
            out.push(Step::Key(inner[..end].to_owned()));
            rest = &inner[end + 2..];
        } else if let Some(inner) = rest.strip_prefix('[') {
            let Some(end) = inner.find(']') else { break };
            out.push(match inner[..end].parse() {
                Ok(index) => Step::Index(index),
                Err(_) => Step::Any,
            });
            rest = &inner[end + 1..];
        } else {
            let inner = rest.strip_prefix('.').unwrap_or(rest);
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            match &inner[..end] {
                "" => {}
                "*" => out.push(Step::Any),
                key => out.push(Step::Key(key.to_owned())),
            }
            if end == 0 && inner.len() == rest.len() {
                break;
            }
            rest = &inner[end..];
        }
    }
    out
}

/// Whether `pattern` leads to anything in `body`.
pub(super) fn leads_somewhere(pattern: &[Step], body: &Value) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return true };
    match (first, body) {
        (Step::Key(key), Value::Object(fields)) => fields.get(key).is_some_and(|v| leads_somewhere(rest, v)),
        (Step::Index(index), Value::Array(items)) => {
            items.get(*index).is_some_and(|v| leads_somewhere(rest, v))
        }
        (Step::Any, Value::Array(items)) => items.iter().any(|v| leads_somewhere(rest, v)),
        (Step::Any, Value::Object(fields)) => fields.values().any(|v| leads_somewhere(rest, v)),
        _ => false,
    }
}

/// Whether everything that satisfies `old` satisfies `new` too; `None` is "equal to the example".
pub(super) fn is_looser(old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (a, b) if a == b => true,
        (_, None) => false,
        (None, Some(new)) => single(new).is_some_and(|m| {
            // The old example has to be looked at for anything narrower than a type.
            matches!(kind(m), "type") && m.get("min").is_none() && m.get("max").is_none()
        }),
        (Some(old), Some(new)) => match (single(old), single(new)) {
            (Some(old), Some(new)) => one_is_looser(old, new),
            _ => false,
        },
    }
}

fn one_is_looser(old: &Value, new: &Value) -> bool {
    let bound = |m: &Value, key: &str| m.get(key).and_then(Value::as_i64);
    let (low, high) = (bound(new, "min"), bound(new, "max"));
    let bounds = low.is_none_or(|low| bound(old, "min").is_some_and(|b| b >= low))
        && high.is_none_or(|high| bound(old, "max").is_some_and(|b| b <= high));
    match (kind(old), kind(new)) {
        ("type", "type") => bounds,
        (
            "equality" | "regex" | "integer" | "decimal" | "number" | "include" | "date" | "time"
            | "timestamp" | "datetime" | "boolean",
            "type",
        ) => low.is_none() && high.is_none(),
        ("integer" | "decimal", "number") => true,
        (a, b) => a == b && old == new,
    }
}

fn kind(matcher: &Value) -> &str {
    matcher.get("match").and_then(Value::as_str).unwrap_or_default()
}

/// The only matcher of a rule.
fn single(rule: &Value) -> Option<&Value> {
    match rule.get("matchers").and_then(Value::as_array).map(Vec::as_slice) {
        Some([one]) => Some(one),
        _ => None,
    }
}

/// Whether an example may change from `old` to `new` under this rule without a change of the demand.
pub(super) fn allows(rule: &Value, old: &Value, new: &Value) -> bool {
    let Some(matcher) = single(rule) else { return false };
    let number = |v: &Value| v.is_number();
    match kind(matcher) {
        "type" => std::mem::discriminant(old) == std::mem::discriminant(new),
        "integer" => [old, new].iter().all(|v| v.is_i64() || v.is_u64()),
        "number" | "decimal" => number(old) && number(new),
        // The example is not what is demanded; that is the rule, which is the same.
        "regex" | "include" | "date" | "time" | "timestamp" | "datetime" | "boolean" | "semver"
        | "not-empty" => std::mem::discriminant(old) == std::mem::discriminant(new),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_read_in_every_spelling() {
        let key = |k: &str| Step::Key(k.into());
        assert_eq!(steps("$.a['b.c'][0][*].d"), [key("a"), key("b.c"), Step::Index(0), Step::Any, key("d")]);
        assert_eq!(steps("$"), []);
        assert_eq!(steps("X-Header"), [key("X-Header")]);
        for odd in ["$.", "$..a", "$[", "$['", "$.a.", "[]"] {
            let _ = steps(odd);
        }
    }

    #[test]
    fn the_closest_rule_decides() {
        let part =
            json!({"matchingRules": {"body": {"$": {"n": 0}, "$.a[*]": {"n": 1}, "$.a[0]": {"n": 2}}}});
        let rules = Rules::of(&part, "body");
        assert_eq!(rules.at(&steps("$.b")).unwrap()["n"], 0);
        assert_eq!(rules.at(&steps("$.a[1].x")).unwrap()["n"], 1);
        assert_eq!(rules.at(&steps("$.a[0]")).unwrap()["n"], 2);
    }
}
