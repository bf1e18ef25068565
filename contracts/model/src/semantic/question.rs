//! Changes of what the consumer sends *to* the provider: requests. Anything it did not send before is a new demand;
//! sending only a part of what it might have sent is not.

use serde_json::Value;

use super::Effect;
use super::answer::{Found, content};
use super::rules::{Rules, Step, allows, is_looser};

/// An HTTP request.
pub(super) fn http(old: &Value, new: &Value, out: &mut Vec<Found>) {
    if old.get("method") != new.get("method") {
        out.push(("request.method".into(), Effect::Breaking, "another method is used".into()));
    }
    let (was, is) = (rule(old, "path"), rule(new, "path"));
    if old.get("path") != new.get("path") {
        let same_rule = is.is_some() && is == was;
        out.push(if same_rule {
            ("request.path".into(), Effect::Compatible, "only the example changed".into())
        } else {
            ("request.path".into(), Effect::Breaking, "another path is asked for".into())
        });
    }
    if was != is {
        out.push(matcher("request.path", was, is));
    }
    named("request.query", "query", old, new, old.get("query"), new.get("query"), out);
    named("request.headers", "header", old, new, old.get("headers"), new.get("headers"), out);
    body("request.body", old, new, content(old, "body"), content(new, "body"), out);
}

/// The request of a synchronous message.
pub(super) fn message(place: &str, old: &Value, new: &Value, out: &mut Vec<Found>) {
    body(&format!("{place}.contents"), old, new, content(old, "contents"), content(new, "contents"), out);
    named(&format!("{place}.metadata"), "metadata", old, new, old.get("metadata"), new.get("metadata"), out);
}

/// A category without paths (`path`).
fn rule<'a>(part: &'a Value, category: &str) -> Option<&'a Value> {
    part.pointer(&format!("/matchingRules/{category}"))
        .filter(|r| r.get("matchers").and_then(Value::as_array).is_some_and(|m| !m.is_empty()))
}

fn matcher(place: &str, was: Option<&Value>, is: Option<&Value>) -> Found {
    // The question may become narrower: what is sent now was among what could be sent before.
    if is_looser(is, was) {
        (place.into(), Effect::Compatible, "fewer requests than before".into())
    } else {
        (place.into(), Effect::Breaking, "requests that were not sent before".into())
    }
}

fn named(
    place: &str,
    category: &str,
    old: &Value,
    new: &Value,
    before: Option<&Value>,
    after: Option<&Value>,
    out: &mut Vec<Found>,
) {
    let empty = serde_json::Map::new();
    let before = before.and_then(Value::as_object).unwrap_or(&empty);
    let after = after.and_then(Value::as_object).unwrap_or(&empty);
    let (old_rules, new_rules) = (Rules::of(old, category), Rules::of(new, category));
    for (name, value) in before {
        let at = format!("{place}.{name}");
        let path = [Step::Key(name.clone())];
        match after.get(name) {
            None => out.push((at, Effect::Breaking, "it is no longer sent".into())),
            Some(now) => {
                let (was, is) = (old_rules.at(&path), new_rules.at(&path));
                if was != is {
                    out.push(matcher(&at, was, is));
                } else if now != value {
                    out.push(match is {
                        Some(_) => (at, Effect::Compatible, "only the example changed".into()),
                        None => (at, Effect::Breaking, "another value is sent".into()),
                    });
                }
            }
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        out.push((format!("{place}.{name}"), Effect::Breaking, "it is sent now".into()));
    }
}

fn body(
    place: &str,
    old: &Value,
    new: &Value,
    before: Option<&Value>,
    after: Option<&Value>,
    out: &mut Vec<Found>,
) {
    let (Some(before), Some(after)) = (before, after) else {
        if before.is_some() != after.is_some() {
            out.push((place.into(), Effect::Breaking, "a body came or went".into()));
        }
        return;
    };
    if before.get("contentType") != after.get("contentType") || before.get("encoded") != after.get("encoded")
    {
        out.push((place.into(), Effect::Breaking, "the body's media type or encoding changed".into()));
    }
    let (old_rules, new_rules) = (Rules::of(old, "body"), Rules::of(new, "body"));
    let none = Value::Null;
    let (b, a) = (before.get("content").unwrap_or(&none), after.get("content").unwrap_or(&none));
    value(place, &mut Vec::new(), b, a, &old_rules, &new_rules, out);
    for (pattern, rule) in old_rules.entries() {
        let now = new_rules.exact(pattern);
        if now != Some(rule) {
            out.push(matcher(place, Some(rule), now));
        }
    }
    for (pattern, rule) in new_rules.entries() {
        if old_rules.exact(pattern).is_none() {
            out.push(matcher(place, None, Some(rule)));
        }
    }
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
                    None => out.push((inner, Effect::Breaking, "it is no longer sent".into())),
                    Some(new) => {
                        path.push(Step::Key(key.clone()));
                        value(&inner, path, old, new, old_rules, new_rules, out);
                        path.pop();
                    }
                }
            }
            for key in after.keys().filter(|key| !before.contains_key(*key)) {
                out.push((format!("{place}.{key}"), Effect::Breaking, "it is sent now".into()));
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (index, (old, new)) in before.iter().zip(after).enumerate() {
                path.push(Step::Index(index));
                value(&format!("{place}[{index}]"), path, old, new, old_rules, new_rules, out);
                path.pop();
            }
        }
        (old, new) if old == new => {}
        (old, new) => {
            let (was, is) = (old_rules.at(path), new_rules.at(path));
            let only_example = is.is_some_and(|rule| was == is && allows(rule, old, new));
            out.push(if only_example {
                (place.into(), Effect::Compatible, "only the example changed".into())
            } else {
                (place.into(), Effect::Breaking, "another value is sent".into())
            });
        }
    }
}
