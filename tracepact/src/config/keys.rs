//! The keys there are, read from the schema of [`Raw`].

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use serde_json::Value as Json;
use toml::{Table, Value};

use super::Error;
use super::raw::Raw;

/// Names that are near enough to be meant (Jaro-Winkler).
const NEAR: f64 = 0.75;

/// The JSON schema of the configuration file.
pub(crate) fn schema() -> Json {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Raw>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), "tracepact.toml".into());
    }
    schema
}

/// One key that holds a value and no further keys, and can therefore be given by one environment variable.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// The path: `["query", "timeout_ms"]`.
    pub(crate) path: Vec<String>,
    pub(crate) kind: Kind,
}

/// What a leaf holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    /// A number that may have a fraction.
    Fraction,
    Switch,
    /// A list of texts; separated by commas in the environment.
    List,
    /// A list of whole numbers; separated by commas in the environment.
    Numbers,
}

impl Leaf {
    /// The environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("TRACEPACT_{}", self.path.join("_").to_uppercase())
    }

    /// The value in the environment's text form.
    pub(crate) fn parse(&self, text: &str) -> Result<Value, Error> {
        self.parse_as(&self.variable(), text)
    }

    /// The same, said by a variable of another name.
    pub(crate) fn parse_as(&self, variable: &str, text: &str) -> Result<Value, Error> {
        let invalid = |reason: &str| Error::Invalid { key: variable.to_owned(), reason: reason.to_owned() };
        Ok(match self.kind {
            Kind::Text => Value::String(text.to_owned()),
            Kind::Number => {
                Value::Integer(text.trim().parse().map_err(|_| invalid("a whole number is wanted"))?)
            }
            Kind::Fraction => Value::Float(text.trim().parse().map_err(|_| invalid("a number is wanted"))?),
            Kind::Switch => Value::Boolean(
                text.trim().to_lowercase().parse().map_err(|_| invalid("`true` or `false` is wanted"))?,
            ),
            Kind::List => Value::Array(list(text)),
            Kind::Numbers => numbers(text, ',').ok_or_else(|| invalid("whole numbers are wanted"))?,
        })
    }
}

/// The items of a comma-separated list.
pub(crate) fn list(text: &str) -> Vec<Value> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| Value::String(item.to_owned()))
        .collect()
}

/// The whole numbers of a list; `None` when one is none.
pub(crate) fn numbers(text: &str, separator: char) -> Option<Value> {
    let items = text.split(separator).map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| item.parse().ok().map(Value::Integer)).collect::<Option<Vec<_>>>().map(Value::Array)
}

/// Every leaf by its environment variable.
pub(crate) fn leaves() -> BTreeMap<String, Leaf> {
    let mut found = BTreeMap::new();
    collect(&schema(), &mut Vec::new(), &mut found);
    found
}

fn collect(schema: &Json, path: &mut Vec<String>, found: &mut BTreeMap<String, Leaf>) {
    for (name, property) in properties(schema) {
        path.push(name.clone());
        match type_of(property) {
            "object" => collect(property, path, found),
            other => {
                let kind = match other {
                    "integer" => Some(Kind::Number),
                    "number" => Some(Kind::Fraction),
                    "boolean" => Some(Kind::Switch),
                    "array" if property["items"]["type"] == "string" => Some(Kind::List),
                    "array" if property["items"]["type"] == "integer" => Some(Kind::Numbers),
                    "string" => Some(Kind::Text),
                    _ => None,
                };
                if let Some(kind) = kind {
                    let leaf = Leaf { path: path.clone(), kind };
                    found.insert(leaf.variable(), leaf);
                }
            }
        }
        path.pop();
    }
}

/// The properties of an object's schema.
pub(crate) fn properties(schema: &Json) -> impl Iterator<Item = (&String, &Json)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// The type of a schema; of an optional one the type it has when it is there.
pub(crate) fn type_of(schema: &Json) -> &str {
    match &schema["type"] {
        Json::String(name) => name,
        Json::Array(names) => {
            names.iter().filter_map(Json::as_str).find(|name| *name != "null").unwrap_or("")
        }
        _ => "",
    }
}

/// Refuses keys that do not exist and names the nearest one that does, at the same place first, anywhere second.
pub(crate) fn check(table: &Table) -> Result<(), Error> {
    check_in(table, &schema(), "")
}

fn check_in(table: &Table, schema: &Json, prefix: &str) -> Result<(), Error> {
    for (name, value) in table {
        let Some((_, property)) = properties(schema).find(|(known, _)| *known == name) else {
            return Err(Error::UnknownKey {
                key: format!("{prefix}{name}"),
                nearest: nearest_key(name, schema, prefix),
            });
        };
        let inner = format!("{prefix}{name}.");
        match value {
            Value::Table(table) => check_in(table, property, &inner)?,
            Value::Array(items) if property["items"]["properties"].is_object() => {
                for item in items {
                    if let Value::Table(table) = item {
                        check_in(table, &property["items"], &inner)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn nearest_key(name: &str, schema: &Json, prefix: &str) -> Option<String> {
    let here = properties(schema).map(|(known, _)| (known.as_str(), format!("{prefix}{known}")));
    let here: Vec<_> = here.collect();
    let by_leaf: Vec<_> = leaves().into_values().map(|leaf| leaf.path).collect();
    let elsewhere: Vec<_> =
        by_leaf.iter().filter_map(|path| path.last().map(|last| (last.as_str(), path.join(".")))).collect();
    nearest(name, here.iter()).or_else(|| nearest(name, elsewhere.iter()))
}

fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a (&'a str, String)>) -> Option<String> {
    candidates
        .map(|(candidate, shown)| (strsim::jaro_winkler(name, candidate), shown))
        .filter(|(score, _)| *score >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, shown)| shown.clone())
}

/// The nearest of `names`.
pub(crate) fn nearest_name<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<_> = names.map(|known| (known, known.to_owned())).collect();
    nearest(name, names.iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        check(&text.parse().unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_names_the_nearest_one() {
        assert_eq!(
            refused("http_adr = \"x\""),
            "there is no configuration key `http_adr`; did you mean `http_addr`?"
        );
        assert!(refused("[kafka]\nbootstrap_servers = \"x\"").ends_with("did you mean `kafka.bootstrap`?"));
        assert!(refused("[[flows]]\nwindow = 1").ends_with("did you mean `flows.window_ms`?"));
        // The right name at the wrong place.
        assert!(refused("strict_trace_id = true").ends_with("did you mean `query.strict_trace_id`?"));
        assert_eq!(refused("zzz = 1"), "there is no configuration key `zzz`");
    }

    #[test]
    fn every_variable_stands_for_one_key() {
        let mut count = 0;
        let mut seen = std::collections::BTreeSet::new();
        fn walk(schema: &Json, count: &mut usize) {
            for (_, property) in properties(schema) {
                match type_of(property) {
                    "object" => walk(property, count),
                    "array" if property["items"]["properties"].is_object() => {}
                    _ => *count += 1,
                }
            }
        }
        walk(&schema(), &mut count);
        for variable in leaves().into_keys() {
            assert!(seen.insert(variable));
        }
        assert_eq!(seen.len(), count);
        assert!(
            seen.contains("TRACEPACT_QUERY_TIMEOUT_MS") && seen.contains("TRACEPACT_ACCESS_ALLOWED_HOSTS")
        );
    }
}
