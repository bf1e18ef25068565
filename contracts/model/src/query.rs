//! Queries in the nested syntax that Pact clients use (`q[][pacticipant]=A&q[][version]=1&q[][pacticipant]=B`).
//!
//! The rule that matters is the one for `[]`: a new object begins when the last one already has the key, so the *order*
//! of parameters carries meaning and no map-based parser can read it. Brackets come raw or percent-encoded. For plain
//! keys the last value wins.

use percent_encoding_lite::decode;

/// Most parameters in one query.
const PARAMETERS_MAX: usize = 4096;
/// Deepest nesting of brackets in one key.
const KEY_DEPTH_MAX: usize = 8;

/// A node of a parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryValue {
    /// `key=value`; a key without `=` has the empty text.
    Text(String),
    /// `key[]=…`
    List(Vec<QueryValue>),
    /// `key[name]=…`, and the query itself.
    Map(Vec<(String, QueryValue)>),
}

/// Why a query cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// More than the bound of parameters.
    #[error("a query has at most {PARAMETERS_MAX} parameters")]
    TooMany,
    /// Brackets nested deeper than the bound, or not closed.
    #[error("the query parameter {0:?} has brackets that cannot be read")]
    Brackets(String),
    /// One key is used as a plain value, a list and a map.
    #[error("the query parameter {0:?} is used in two different shapes")]
    Shapes(String),
    /// A percent escape does not yield UTF-8.
    #[error("the query contains invalid UTF-8 or percent escapes")]
    NotUtf8,
}

impl QueryValue {
    /// The value under `key`, for a map.
    pub fn get(&self, key: &str) -> Option<&QueryValue> {
        match self {
            Self::Map(fields) => fields.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text under `key`, when it is one and not blank.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Self::Text(text)) if !text.trim().is_empty() => Some(text),
            _ => None,
        }
    }

    /// The items under `key`, when it is a list.
    pub fn list(&self, key: &str) -> &[QueryValue] {
        match self.get(key) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }

    /// As JSON: texts `true` and `false` become booleans, other texts strings.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) if text == "true" => serde_json::Value::Bool(true),
            Self::Text(text) if text == "false" => serde_json::Value::Bool(false),
            Self::Text(text) => serde_json::Value::String(text.clone()),
            Self::List(items) => serde_json::Value::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(fields) => {
                serde_json::Value::Object(fields.iter().map(|(k, v)| (k.clone(), v.to_json())).collect())
            }
        }
    }
}

/// Percent-decodes one component; `+` is a space. `None` when the result is not UTF-8.
pub fn decode_percent(text: &str) -> Option<String> {
    decode(text)
}

/// Parses a raw query (without `?`) into a map.
pub fn parse_nested(raw: &str) -> Result<QueryValue, QueryError> {
    let mut root = QueryValue::Map(Vec::new());
    for (index, pair) in raw.split(['&', ';']).filter(|p| !p.is_empty()).enumerate() {
        if index >= PARAMETERS_MAX {
            return Err(QueryError::TooMany);
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(key).ok_or(QueryError::NotUtf8)?;
        let value = decode(value).ok_or(QueryError::NotUtf8)?;
        let steps = split_key(&key)?;
        insert(&mut root, &steps, value, &key)?;
    }
    Ok(root)
}

/// `a[b][][c]` as `a`, `b`, ``, `c`; the legacy `a[]b` as `a`, ``, `b`.
fn split_key(key: &str) -> Result<Vec<String>, QueryError> {
    let bad = || QueryError::Brackets(key.chars().take(80).collect());
    let (head, mut rest) = match key.find('[') {
        Some(0) | None => return Ok(vec![key.to_owned()]),
        Some(at) => (&key[..at], &key[at..]),
    };
    let mut steps = vec![head.to_owned()];
    while !rest.is_empty() {
        if steps.len() > KEY_DEPTH_MAX {
            return Err(bad());
        }
        if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']').ok_or_else(bad)?;
            steps.push(inner[..end].to_owned());
            rest = &inner[end + 1..];
        } else {
            let end = rest.find('[').unwrap_or(rest.len());
            steps.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
    }
    Ok(steps)
}

fn insert(node: &mut QueryValue, steps: &[String], value: String, key: &str) -> Result<(), QueryError> {
    let shapes = || QueryError::Shapes(key.chars().take(80).collect());
    let Some((step, rest)) = steps.split_first() else {
        return Ok(());
    };
    let QueryValue::Map(fields) = node else {
        return Err(shapes());
    };
    let position = fields.iter().position(|(k, _)| k == step);
    match rest.first().map(String::as_str) {
        None => match position {
            Some(at) if matches!(fields[at].1, QueryValue::Text(_)) => fields[at].1 = QueryValue::Text(value),
            Some(_) => return Err(shapes()),
            None => fields.push((step.clone(), QueryValue::Text(value))),
        },
        Some("") => {
            let at = position.unwrap_or_else(|| {
                fields.push((step.clone(), QueryValue::List(Vec::new())));
                fields.len() - 1
            });
            let QueryValue::List(items) = &mut fields[at].1 else {
                return Err(shapes());
            };
            let inner = &rest[1..];
            if inner.is_empty() {
                items.push(QueryValue::Text(value));
                return Ok(());
            }
            let fits =
                items.last().is_some_and(|last| matches!(last, QueryValue::Map(_)) && !has(last, inner));
            if !fits {
                items.push(QueryValue::Map(Vec::new()));
            }
            if let Some(last) = items.last_mut() {
                insert(last, inner, value, key)?;
            }
        }
        Some(_) => {
            let at = position.unwrap_or_else(|| {
                fields.push((step.clone(), QueryValue::Map(Vec::new())));
                fields.len() - 1
            });
            insert(&mut fields[at].1, rest, value, key)?;
        }
    }
    Ok(())
}

/// Whether the path `steps` ends in a value that is there already (a list never does: it takes one more).
fn has(node: &QueryValue, steps: &[String]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return true;
    };
    match node.get(step) {
        None => false,
        Some(_) if rest.first().is_some_and(String::is_empty) => false,
        Some(inner) => has(inner, rest),
    }
}

/// Percent-decoding of query components.
mod percent_encoding_lite {
    /// `+` is a space; a `%` without two hex digits stays as it is, as Rack's lenient clients expect.
    pub(super) fn decode(text: &str) -> Option<String> {
        let bytes = text.as_bytes();
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let hex = |offset: usize| bytes.get(at + offset).and_then(|b| char::from(*b).to_digit(16));
            match (bytes[at], hex(1), hex(2)) {
                (b'+', _, _) => out.push(b' '),
                (b'%', Some(high), Some(low)) => {
                    out.push((high << 4 | low) as u8);
                    at += 2;
                }
                (other, _, _) => out.push(other),
            }
            at += 1;
        }
        String::from_utf8(out).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_begins_a_new_object() {
        for raw in [
            "q[][pacticipant]=A&q[][version]=1&q[][pacticipant]=B&q[][version]=9&latestby=cvpv",
            "q%5B%5D%5Bpacticipant%5D=A&q%5B%5D%5Bversion%5D=1&q%5B%5D%5Bpacticipant%5D=B&q%5B%5D%5Bversion%5D=9&latestby=cvpv",
            "q[]pacticipant=A&q[]version=1&q[]pacticipant=B&q[]version=9&latestby=cvpv",
        ] {
            let query = parse_nested(raw).unwrap();
            let q = query.list("q");
            assert_eq!(q.len(), 2, "{raw}");
            assert_eq!((q[0].text("pacticipant"), q[0].text("version")), (Some("A"), Some("1")));
            assert_eq!((q[1].text("pacticipant"), q[1].text("version")), (Some("B"), Some("9")));
            assert_eq!(query.text("latestby"), Some("cvpv"));
        }
    }

    #[test]
    fn names_are_decoded_after_splitting() {
        let query = parse_nested("q[][pacticipant]=Order+%26%20Svc%2B1&q[][branch]=feat%2F%C3%BC").unwrap();
        assert_eq!(query.list("q")[0].text("pacticipant"), Some("Order & Svc+1"));
        assert_eq!(query.list("q")[0].text("branch"), Some("feat/ü"));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert_eq!(parse_nested("a=1&a[]=2"), Err(QueryError::Shapes("a[]".into())));
        assert!(matches!(parse_nested("a[b"), Err(QueryError::Brackets(_))));
        assert_eq!(parse_nested("a=%ff"), Err(QueryError::NotUtf8));
        assert!(matches!(parse_nested(&format!("a{}=1", "[x]".repeat(99))), Err(QueryError::Brackets(_))));
        assert_eq!(parse_nested(&"a=1&".repeat(5000)), Err(QueryError::TooMany));
        assert_eq!(parse_nested("x=1&x=2").unwrap().text("x"), Some("2"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c\\[\\]=&%+0-9;]{0,60}") {
            crate::fuzzing::fuzz_query(text.as_bytes());
        }
    }
}
