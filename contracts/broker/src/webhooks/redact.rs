//! Keeping secrets out of logs: those of the webhook wherever they show up, and whatever looks like one.

use serde_json::Value;

use super::definition::{HIDDEN, is_secret_header};

/// Shorter texts are too likely to be part of something else.
const SECRET_CHARS_MIN: usize = 4;

/// Hides the secrets of one webhook.
#[derive(Debug)]
pub(crate) struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    /// For a webhook with these secrets.
    pub(crate) fn new(mut secrets: Vec<String>) -> Self {
        secrets.retain(|secret| secret.chars().count() >= SECRET_CHARS_MIN);
        // The longer first, so that no secret is left over behind one that it begins with.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// `text` without the secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
    }

    /// `name: value`, the value hidden where the name says that it is one.
    pub(crate) fn header(&self, name: &str, value: &str) -> String {
        let value = if is_secret_header(name) { HIDDEN.to_owned() } else { self.text(value) };
        format!("{name}: {value}")
    }

    /// A body; in JSON the values of fields that are named like secrets are hidden as well.
    pub(crate) fn body(&self, body: &str) -> String {
        match serde_json::from_str::<Value>(body) {
            Ok(mut json @ (Value::Object(_) | Value::Array(_))) => {
                hide(&mut json);
                self.text(&json.to_string())
            }
            _ => self.text(body),
        }
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(fields) => {
            for (name, value) in fields {
                if value.is_string() && is_secret_header(&name.replace('_', "-")) {
                    *value = HIDDEN.into();
                } else {
                    hide(value);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_a_secret_stays() {
        let redactor =
            Redactor::new(vec!["s3cret".into(), "s3cret-longer".into(), "u".into(), String::new()]);
        assert_eq!(redactor.text("a s3cret-longer b s3cret u"), format!("a {HIDDEN} b {HIDDEN} u"));
        assert_eq!(redactor.header("X-Auth-Token", "abc"), format!("X-Auth-Token: {HIDDEN}"));
        assert_eq!(redactor.header("x-plain", "s3cret"), format!("x-plain: {HIDDEN}"));
        let body = redactor.body(r#"{"a":[{"api_key":"k","n":1}],"b":"s3cret","token":{"x":1}}"#);
        assert!(!body.contains("s3cret") && !body.contains("\"k\"") && body.contains("\"n\":1"), "{body}");
        assert_eq!(redactor.body("plain s3cret"), format!("plain {HIDDEN}"));
    }
}
