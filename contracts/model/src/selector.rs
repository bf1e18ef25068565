//! Consumer version selectors: which versions of its consumers a provider wants to verify.
//!
//! Keys and refusals as the Pact Broker has them (docs.pact.io, "consumer version selectors"), with one difference:
//! `fallbackBranch` has its effect.

use serde_json::Value;

/// One selector, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// Only versions of this consumer.
    pub consumer: Option<String>,
    /// Which versions.
    pub kind: SelectorKind,
}

/// Which versions of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectorKind {
    /// The latest of the consumer's main branch.
    MainBranch,
    /// The latest of a branch; of `fallback` where the consumer has no such branch with a pact.
    Branch {
        /// The branch.
        name: String,
        /// The branch taken instead.
        fallback: Option<String>,
    },
    /// The latest of the branch that has the provider version's branch name.
    MatchingBranch,
    /// Versions with a tag: the latest, or all.
    Tag {
        /// The tag.
        name: String,
        /// Whether only the latest one.
        latest: bool,
        /// The tag taken instead where the consumer has no version with `name`; only with `latest`.
        fallback: Option<String>,
    },
    /// The latest version of all.
    Latest,
    /// Versions deployed now, to one environment or any.
    Deployed(Option<String>),
    /// Versions released and supported now, to one environment or any.
    Released(Option<String>),
    /// Either of the two.
    DeployedOrReleased(Option<String>),
}

impl SelectorKind {
    /// The environment it names, which must exist.
    pub fn environment(&self) -> Option<&str> {
        match self {
            Self::Deployed(e) | Self::Released(e) | Self::DeployedOrReleased(e) => e.as_deref(),
            _ => None,
        }
    }
}

/// Why a selector is refused: its place in the list, counted from 0, and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("consumerVersionSelectors: {reason} (at index {index})")]
pub struct SelectorError {
    /// Place in the list.
    pub index: usize,
    /// The rule.
    pub reason: String,
}

/// Reads a list of selectors; `null` is an empty list. Unknown keys are ignored, as old brokers and new clients need.
pub fn parse_selectors(list: &Value) -> Result<Vec<Selector>, SelectorError> {
    let items = match list {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items,
        _ => return Err(SelectorError { index: 0, reason: "must be a list of objects".into() }),
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| parse_one(item).map_err(|reason| SelectorError { index, reason }))
        .collect()
}

fn parse_one(item: &Value) -> Result<Selector, String> {
    let Value::Object(map) = item else {
        return Err("must be an object".into());
    };
    let text = |key: &str, snake: &str| -> Result<Option<String>, String> {
        match map.get(key).or_else(|| map.get(snake)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            // Names such as `true` arrive as booleans from query strings, numbers from careless YAML.
            Some(Value::Bool(value)) => Ok(Some(value.to_string())),
            Some(Value::Number(value)) => Ok(Some(value.to_string())),
            Some(_) => Err(format!("{key} must be a string")),
        }
    };
    let flag = |key: &str, snake: &str| -> Result<bool, String> {
        match map.get(key).or_else(|| map.get(snake)) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(true)) => Ok(true),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(_) => Err(format!("{key} can only be true")),
        }
    };
    let latest = match map.get("latest") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(value)) => Some(*value),
        Some(Value::String(text)) if text == "true" || text == "false" => Some(text == "true"),
        Some(_) => return Err("latest must be true or false".into()),
    };
    let consumer = text("consumer", "consumer")?;
    let tag = text("tag", "tag")?;
    let fallback_tag = text("fallbackTag", "fallback_tag")?;
    let branch = text("branch", "branch")?;
    let fallback_branch = text("fallbackBranch", "fallback_branch")?;
    let environment = text("environment", "environment")?;
    let main_branch = flag("mainBranch", "main_branch")?;
    let matching_branch = flag("matchingBranch", "matching_branch")?;
    let deployed = flag("deployed", "deployed")?;
    let released = flag("released", "released")?;
    let either = flag("deployedOrReleased", "deployed_or_released")?;

    let live = [deployed, released, either].iter().filter(|set| **set).count();
    let live_any = live > 0 || environment.is_some();
    let by_name = tag.is_some() || branch.is_some() || main_branch || matching_branch;
    let fallbacks = fallback_tag.is_some() || fallback_branch.is_some();
    if live > 1 {
        return Err("deployed, released and deployedOrReleased cannot be combined".into());
    }
    if main_branch
        && (tag.is_some()
            || branch.is_some()
            || matching_branch
            || live_any
            || fallbacks
            || latest == Some(false))
    {
        return Err("mainBranch can only be combined with consumer and latest: true".into());
    }
    if matching_branch && (tag.is_some() || branch.is_some() || live_any || fallbacks || latest.is_some()) {
        return Err("matchingBranch can only be combined with consumer".into());
    }
    if tag.is_some() && branch.is_some() {
        return Err("tag and branch cannot be combined".into());
    }
    if live_any && (latest.is_some() || by_name || fallbacks) {
        return Err(
            "latest, tag, branch, mainBranch, matchingBranch and fallbacks cannot be combined with environment, deployed, \
             released or deployedOrReleased"
                .into(),
        );
    }
    if fallback_tag.is_some() && !(tag.is_some() && latest == Some(true)) {
        return Err("fallbackTag needs tag and latest: true".into());
    }
    if fallback_branch.is_some() && branch.is_none() {
        return Err("fallbackBranch needs branch".into());
    }
    if branch.is_some() && latest == Some(false) {
        return Err("branch always means its latest version, latest: false is not possible".into());
    }

    let kind = if main_branch {
        SelectorKind::MainBranch
    } else if matching_branch {
        SelectorKind::MatchingBranch
    } else if let Some(name) = branch {
        SelectorKind::Branch { name, fallback: fallback_branch }
    } else if let Some(name) = tag {
        SelectorKind::Tag { name, latest: latest == Some(true), fallback: fallback_tag }
    } else if deployed {
        SelectorKind::Deployed(environment)
    } else if released {
        SelectorKind::Released(environment)
    } else if live_any {
        SelectorKind::DeployedOrReleased(environment)
    } else if latest == Some(true) {
        SelectorKind::Latest
    } else {
        return Err(
            "must specify one of mainBranch: true, matchingBranch: true, branch, tag, latest: true, deployed: true, \
             released: true, deployedOrReleased: true or environment"
                .into(),
        );
    };
    Ok(Selector { consumer, kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(value: Value) -> Result<SelectorKind, String> {
        parse_selectors(&json!([value])).map(|mut list| list.remove(0).kind).map_err(|e| e.reason)
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(one(json!({"mainBranch": true, "latest": true})), Ok(SelectorKind::MainBranch));
        assert_eq!(
            one(json!({"branch": "feat/x", "fallbackBranch": "main"})),
            Ok(SelectorKind::Branch { name: "feat/x".into(), fallback: Some("main".into()) })
        );
        assert_eq!(one(json!({"matchingBranch": true})), Ok(SelectorKind::MatchingBranch));
        assert_eq!(
            one(json!({"tag": "prod"})),
            Ok(SelectorKind::Tag { name: "prod".into(), latest: false, fallback: None })
        );
        assert_eq!(one(json!({"latest": true, "consumer": "a"})), Ok(SelectorKind::Latest));
        assert_eq!(one(json!({"deployed": true})), Ok(SelectorKind::Deployed(None)));
        assert_eq!(
            one(json!({"released": true, "environment": "prod"})),
            Ok(SelectorKind::Released(Some("prod".into())))
        );
        assert_eq!(
            one(json!({"environment": "prod"})),
            Ok(SelectorKind::DeployedOrReleased(Some("prod".into())))
        );
        assert_eq!(one(json!({"deployedOrReleased": "true"})), Ok(SelectorKind::DeployedOrReleased(None)));
        assert_eq!(parse_selectors(&Value::Null), Ok(vec![]));
    }

    #[test]
    fn what_upstream_refuses_is_refused() {
        for bad in [
            json!({}),
            json!({"consumer": "a"}),
            json!({"fallbackBranch": "main"}),
            json!({"latest": false}),
            json!({"mainBranch": false}),
            json!({"mainBranch": true, "latest": false}),
            json!({"mainBranch": true, "tag": "x"}),
            json!({"matchingBranch": true, "latest": true}),
            json!({"tag": "a", "branch": "b"}),
            json!({"deployed": true, "released": true}),
            json!({"deployed": false}),
            json!({"environment": "a", "latest": true}),
            json!({"tag": "a", "fallbackTag": "b"}),
            json!({"branch": "a", "latest": false}),
            json!({"branch": ["a"]}),
            json!("main"),
        ] {
            assert!(one(bad.clone()).is_err(), "{bad}");
        }
        assert!(parse_selectors(&json!({"mainBranch": true})).is_err());
    }
}
