//! Changes of what is expected *from* the provider: responses and messages. Expecting less is compatible.

use serde_json::Value;

use super::Effect;
use super::rules::{Rules, Step, allows, is_looser, leads_somewhere};

/// A change: where, what it means, why.
pub(super) type Found = (String, Effect, String);

/// An HTTP response.
pub(super) fn http(old: &Value, new: &Value, out: &mut Vec<Found>) {
    let status = |part: &Value| part.get("status").cloned().unwrap_or(Value::Null);
    if status(old) != status(new) {
        out.push((
            "response.status".into(),
            Effect::Breaking,
            format!("status {} became {}", status(old), status(new)),
        ));
    }
    rules_of("response.status", "status", old, new, &Value::Null, out);
    named("response.headers", "header", old.get("headers"), new.get("headers"), old, new, out);
    body("response.body", content(old, "body"), content(new, "body"), old, new, out);
}

/// A message: its contents and metadata (topic, key, headers).
pub(super) fn message(place: &str, old: &Value, new: &Value, out: &mut Vec<Found>) {
    let at = |what: &str| format!("{place}.{what}").trim_start_matches('.').to_owned();
    body(&at("contents"), content(old, "contents"), content(new, "contents"), old, new, out);
    named(&at("metadata"), "metadata", old.get("metadata"), new.get("metadata"), old, new, out);
}

/// The body with its media type: `(content, contentType, encoded)`.
pub(super) fn content<'a>(part: &'a Value, key: &str) -> Option<&'a Value> {
    part.get(key).filter(|v| !v.is_null())
}

fn body(
    place: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    old_part: &Value,
    new_part: &Value,
    out: &mut Vec<Found>,
) {
    match (old, new) {
        (None, None) => return,
        (Some(_), None) => {
            out.push((place.into(), Effect::Compatible, "the body is no longer looked at".into()));
            return;
        }
        (None, Some(_)) => {
            out.push((place.into(), Effect::Breaking, "a body is expected now".into()));
            return;
        }
        (Some(old), Some(new)) => {
            for (key, what) in [("contentType", "the media type"), ("encoded", "the encoding")] {
                if old.get(key) != new.get(key) {
                    out.push((place.into(), Effect::Breaking, format!("{what} of the body changed")));
                }
            }
            let none = Value::Null;
            let (old_value, new_value) =
                (old.get("content").unwrap_or(&none), new.get("content").unwrap_or(&none));
            let (old_rules, new_rules) = (Rules::of(old_part, "body"), Rules::of(new_part, "body"));
            value(place, &mut Vec::new(), old_value, new_value, &old_rules, &new_rules, out);
        }
    }
    let none = Value::Null;
    let present = new.and_then(|n| n.get("content")).unwrap_or(&none);
    rules_of(place, "body", old_part, new_part, present, out);
}

fn value(
    place: &str,
    path: &mut Vec<Step>,
    old: &Value,
    new: &Value,
    old_rules: &Rules,
    new_rules: &Rules,
    out: &mut Vec<Found>,
) {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, old) in before {
                let inner = format!("{place}.{key}");
                match after.get(key) {
                    Some(new) => {
                        path.push(Step::Key(key.clone()));
                        value(&inner, path, old, new, old_rules, new_rules, out);
                        path.pop();
                    }
                    None => out.push((inner, Effect::Compatible, "the consumer no longer reads it".into())),
                }
            }
            for key in after.keys().filter(|key| !before.contains_key(*key)) {
                out.push((format!("{place}.{key}"), Effect::Breaking, "it is expected now".into()));
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            let by_type = new_rules.at(path).is_some() && is_looser(old_rules.at(path), new_rules.at(path));
            if by_type {
                // Under a matcher the elements are examples: the first of each stands for all.
                if let (Some(old), Some(new)) = (before.first(), after.first()) {
                    path.push(Step::Index(0));
                    value(&format!("{place}[0]"), path, old, new, old_rules, new_rules, out);
                    path.pop();
                }
                return;
            }
            if before.len() != after.len() {
                out.push((
                    place.into(),
                    Effect::Breaking,
                    format!("{} elements became {}", before.len(), after.len()),
                ));
            }
            for (index, (old, new)) in before.iter().zip(after).enumerate() {
                path.push(Step::Index(index));
                value(&format!("{place}[{index}]"), path, old, new, old_rules, new_rules, out);
                path.pop();
            }
        }
        (old, new) if old == new => {}
        (old, new) => {
            let (was, is) = (old_rules.at(path), new_rules.at(path));
            let fits = is.is_some_and(|rule| is_looser(was, is) && allows(rule, old, new));
            if fits {
                out.push((place.into(), Effect::Compatible, "only the example changed".into()));
            } else {
                out.push((place.into(), Effect::Breaking, "another value is expected".into()));
            }
        }
    }
}

/// Headers or metadata: names and values, each of which is expected.
fn named(
    place: &str,
    category: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    old_part: &Value,
    new_part: &Value,
    out: &mut Vec<Found>,
) {
    let empty = serde_json::Map::new();
    let before = old.and_then(Value::as_object).unwrap_or(&empty);
    let after = new.and_then(Value::as_object).unwrap_or(&empty);
    let (old_rules, new_rules) = (Rules::of(old_part, category), Rules::of(new_part, category));
    for (name, value) in before {
        let at = format!("{place}.{name}");
        let path = [Step::Key(name.clone())];
        match after.get(name) {
            None => out.push((at, Effect::Compatible, "the consumer no longer reads it".into())),
            Some(now) if now == value => {}
            Some(_)
                if new_rules.at(&path).is_some() && is_looser(old_rules.at(&path), new_rules.at(&path)) =>
            {
                out.push((at, Effect::Compatible, "only the example changed".into()));
            }
            Some(_) => out.push((at, Effect::Breaking, "another value is expected".into())),
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        out.push((format!("{place}.{name}"), Effect::Breaking, "it is expected now".into()));
    }
    let present = Value::Object(after.clone());
    rules_of(place, category, old_part, new_part, &present, out);
}

/// Rules that came, went or changed: a rule that is gone leaves the exact value, which is more than was asked for.
fn rules_of(place: &str, category: &str, old: &Value, new: &Value, present: &Value, out: &mut Vec<Found>) {
    let (before, after) = (Rules::of(old, category), Rules::of(new, category));
    for (pattern, rule) in before.entries() {
        let now = after.exact(pattern);
        if now == Some(rule) || !leads_somewhere(pattern, present) {
            continue;
        }
        let (effect, why) = if is_looser(Some(rule), now) {
            (Effect::Compatible, "a matcher became looser")
        } else {
            (Effect::Breaking, "a matcher became narrower")
        };
        out.push((place.into(), effect, why.into()));
    }
    for (pattern, rule) in after.entries() {
        if before.exact(pattern).is_none() && leads_somewhere(pattern, present) {
            let (effect, why) = if is_looser(before.at(pattern), Some(rule)) {
                (Effect::Compatible, "a matcher became looser")
            } else {
                (Effect::Breaking, "a matcher was added that the old value may not satisfy")
            };
            out.push((place.into(), effect, why.into()));
        }
    }
}
