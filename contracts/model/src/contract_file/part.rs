//! A mapping of the form, read strictly: every key is taken, or it is an error with its line.

use super::ContractFileError;
use super::yaml::{Node, Value};
use crate::Json;

/// The fields of a part under construction.
pub(super) type Fields = Vec<(String, Json)>;

/// A mapping of which every key has to be taken.
pub(super) struct Part<'a> {
    node: &'a Node,
    fields: Vec<(&'a Node, &'a Node)>,
}

impl<'a> Part<'a> {
    pub(super) fn of(node: &'a Node, what: &str) -> Result<Self, ContractFileError> {
        match &node.value {
            Value::Map(fields) => Ok(Self { node, fields: fields.iter().map(|(k, v)| (k, v)).collect() }),
            _ => Err(node.error(format!("{what} must be a mapping"))),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|(k, _)| k.key() == key)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<&'a Node> {
        let at = self.fields.iter().position(|(k, _)| k.key() == key)?;
        Some(self.fields.remove(at).1)
    }

    pub(super) fn required(&mut self, key: &str) -> Result<&'a Node, ContractFileError> {
        self.take(key).ok_or_else(|| self.node.error(format!("`{key}` is missing")))
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, ContractFileError> {
        match self.take(key) {
            None => Ok(None),
            Some(node) => match &node.value {
                Value::String(text) => Ok(Some(text.clone())),
                _ => Err(node.error(format!("`{key}` must be a text; put it in quotes"))),
            },
        }
    }

    /// A JSON body in short (`body: {…}`), or specification 4's own body object.
    pub(super) fn body(
        &mut self,
        short: &str,
        raw: &str,
        field: &str,
        fields: &mut Fields,
    ) -> Result<(), ContractFileError> {
        match (self.take(short), self.take(raw)) {
            (Some(_), Some(node)) => Err(node.error(format!("either `{short}` or `{raw}`"))),
            (Some(node), None) => {
                let body = Json::Object(vec![
                    ("content".into(), node.json()),
                    ("contentType".into(), Json::String("application/json".into())),
                    ("encoded".into(), Json::Bool(false)),
                ]);
                fields.push((field.into(), body));
                Ok(())
            }
            (None, Some(node)) => {
                fields.push((field.into(), node.json()));
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    /// What stands under `pact:` goes into the pact as it is.
    pub(super) fn verbatim(&mut self, fields: &mut Fields) -> Result<(), ContractFileError> {
        let Some(node) = self.take("pact") else { return Ok(()) };
        let Value::Map(entries) = &node.value else {
            return Err(node.error("`pact` must be a mapping of the pact's own fields"));
        };
        for (key, value) in entries {
            if fields.iter().any(|(k, _)| k == key.key()) {
                return Err(key.error(format!("{:?} is said above already", key.key())));
            }
            fields.push((key.key().to_owned(), value.json()));
        }
        Ok(())
    }

    /// Refuses what was not taken.
    pub(super) fn done(self, known: &[&str]) -> Result<(), ContractFileError> {
        match self.fields.first() {
            None => Ok(()),
            Some((key, _)) => {
                let name = key.key();
                let close = known.iter().find(|k| is_slip(name, k));
                let hint = match close {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => format!("known are {}", known.join(", ")),
                };
                Err(key.error(format!("unknown key {name:?}; {hint}")))
            }
        }
    }
}

/// Whether `name` is `known` but for its case, or for one letter too many, missing, wrong or swapped with the next.
fn is_slip(name: &str, known: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) =
        (name.to_lowercase().chars().collect(), known.to_lowercase().chars().collect());
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[front..], &b[front..]);
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - back], &b[..b.len() - back]);
    match (a, b) {
        ([] | [_], [] | [_]) => true,
        ([x, y], [v, w]) => x == w && y == v,
        _ => false,
    }
}

/// A text, or a number or truth value taken by its text: header and query values are texts anyway.
pub(super) fn text_of(node: &Node, what: &str) -> Result<String, ContractFileError> {
    match &node.value {
        Value::String(text) | Value::Number(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        _ => Err(node.error(format!("a value of `{what}` must be a text"))),
    }
}
