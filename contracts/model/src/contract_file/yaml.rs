//! YAML text to a tree that knows its lines. What makes YAML dangerous is left out: tags, several documents, merge
//! keys; aliases are counted as what they repeat.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::ContractFileError;
use crate::Json;

/// Largest file, in bytes.
pub const YAML_BYTES_MAX: usize = 1024 * 1024;
/// Deepest nesting.
const DEPTH_MAX: usize = 64;
/// Most values, what aliases repeat counted each time.
const VALUES_MAX: usize = 100_000;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) value: Value,
}

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A number in JSON's grammar, as written.
    Number(String),
    String(String),
    List(Vec<Node>),
    /// Keys with their own place.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// An error at this place.
    pub(super) fn error(&self, reason: impl Into<String>) -> ContractFileError {
        ContractFileError { line: self.line, column: self.column, reason: reason.into() }
    }

    /// The value without its places.
    pub(super) fn json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(text) => Json::Number(text.clone()),
            Value::String(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::json).collect()),
            Value::Map(fields) => {
                Json::Object(fields.iter().map(|(key, value)| (key.key().to_owned(), value.json())).collect())
            }
        }
    }

    /// The text of a key (which is always a string).
    pub(super) fn key(&self) -> &str {
        if let Value::String(text) = &self.value { text } else { "" }
    }

    /// How many values this is.
    fn size(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Map(fields) => 1 + fields.iter().map(|(_, v)| 1 + v.size()).sum::<usize>(),
            _ => 1,
        }
    }

    fn depth(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Value::Map(fields) => 1 + fields.iter().map(|(_, v)| v.depth()).max().unwrap_or(0),
            _ => 1,
        }
    }
}

/// A collection that is being read.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<Node>,
}

struct Builder {
    open: Vec<Open>,
    anchors: Vec<(usize, Node)>,
    values: usize,
    root: Option<Node>,
}

/// Reads one YAML document.
pub(super) fn parse(text: &str) -> Result<Node, ContractFileError> {
    let start = Node { line: 1, column: 1, value: Value::Null };
    if text.len() > YAML_BYTES_MAX {
        return Err(start.error(format!("{} bytes; at most {YAML_BYTES_MAX} are read", text.len())));
    }
    let mut builder = Builder { open: Vec::new(), anchors: Vec::new(), values: 0, root: None };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| {
            let marker = e.marker();
            ContractFileError {
                line: marker.line().max(1),
                column: marker.col() + 1,
                reason: e.info().to_owned(),
            }
        })?;
        let here = place(&span);
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(here.error("a second document: a file holds one contract"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    return Err(here.error("tags are not read; leave it out"));
                }
                let value = if style == ScalarStyle::Plain {
                    plain(&text).map_err(|reason| here.error(reason))?
                } else {
                    Value::String(text.into_owned())
                };
                builder.add(Node { value, ..here }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                builder.begin(here, Value::List(Vec::new()), anchor, tag.is_some())?;
            }
            Event::MappingStart(anchor, tag) => {
                builder.begin(here, Value::Map(Vec::new()), anchor, tag.is_some())?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.end()?,
            Event::Alias(anchor) => {
                let found =
                    builder.anchors.iter().rev().find(|(id, _)| *id == anchor).map(|(_, n)| n.clone());
                let Some(found) = found else {
                    return Err(here.error("the alias stands inside what it names, or names nothing"));
                };
                builder.count(found.size().saturating_sub(1), &here)?;
                if builder.open.len() + found.depth() > DEPTH_MAX {
                    return Err(here.error(format!("nested deeper than {DEPTH_MAX} levels")));
                }
                // An error inside a repeated part is shown where it is repeated.
                builder.add(Node { value: found.value, ..here }, 0)?;
            }
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing => {}
        }
    }
    builder.root.ok_or_else(|| start.error("the file is empty"))
}

impl Builder {
    fn begin(&mut self, here: Node, value: Value, anchor: usize, tag: bool) -> Result<(), ContractFileError> {
        if tag {
            return Err(here.error("tags are not read; leave it out"));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(here.error(format!("nested deeper than {DEPTH_MAX} levels")));
        }
        self.open.push(Open { node: Node { value, ..here }, anchor, key: None });
        Ok(())
    }

    fn end(&mut self) -> Result<(), ContractFileError> {
        match self.open.pop() {
            Some(done) => self.add(done.node, done.anchor),
            None => Ok(()),
        }
    }

    fn count(&mut self, values: usize, here: &Node) -> Result<(), ContractFileError> {
        self.values += values;
        if self.values > VALUES_MAX {
            return Err(here.error(format!("more than {VALUES_MAX} values, with what aliases repeat")));
        }
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), ContractFileError> {
        self.count(1, &node)?;
        if anchor > 0 {
            self.anchors.push((anchor, node.clone()));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.node.value {
            Value::List(items) => items.push(node),
            Value::Map(fields) => match open.key.take() {
                None => open.key = Some(key(node, fields)?),
                Some(key) => fields.push((key, node)),
            },
            _ => {}
        }
        Ok(())
    }
}

/// A key: a string, each once. Numbers and the like are keys by their text, as JSON has no others.
fn key(node: Node, fields: &[(Node, Node)]) -> Result<Node, ContractFileError> {
    let text = match &node.value {
        Value::String(text) | Value::Number(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Null => return Err(node.error("a key is missing; the key null is written \"null\"")),
        Value::List(_) | Value::Map(_) => return Err(node.error("a key must be a text")),
    };
    if text == "<<" {
        return Err(node.error("merge keys are not read; write the fields out"));
    }
    if let Some((first, _)) = fields.iter().find(|(k, _)| k.key() == text) {
        return Err(node.error(format!("the key {text:?} stands twice, first on line {}", first.line)));
    }
    Ok(Node { value: Value::String(text), ..node })
}

fn place(span: &Span) -> Node {
    Node { line: span.start.line().max(1), column: span.start.col() + 1, value: Value::Null }
}

/// The meaning of a text without quotes. What readers of YAML 1.1 and 1.2 take for different things is refused.
fn plain(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" => return Ok(Value::Null),
        "true" => return Ok(Value::Bool(true)),
        "false" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if is_json_number(text) {
        return Ok(Value::Number(text.to_owned()));
    }
    if is_ambiguous(text) {
        return Err(format!(
            "{text} means different things to different readers: write \"{text}\", or true, false, null or a plain number"
        ));
    }
    Ok(Value::String(text.to_owned()))
}

/// Whether readers of YAML disagree about a text without quotes.
pub(super) fn is_ambiguous(text: &str) -> bool {
    const WORDS: [&str; 7] = ["yes", "no", "on", "off", "true", "false", "null"];
    if WORDS.iter().any(|w| text.eq_ignore_ascii_case(w)) {
        return true;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if [".inf", ".nan"].iter().any(|w| unsigned.eq_ignore_ascii_case(w)) {
        return true;
    }
    let digits = unsigned.strip_prefix('.').unwrap_or(unsigned);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let lower = unsigned.to_ascii_lowercase();
    let radix = ["0x", "0o", "0b"].iter().any(|p| {
        lower
            .strip_prefix(p)
            .is_some_and(|r| !r.is_empty() && r.chars().all(|c| c.is_ascii_hexdigit() || c == '_'))
    });
    let number_like =
        digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_' | 'e' | 'E' | '+' | '-'))
            && digits.replace('_', "").parse::<f64>().is_ok();
    radix || number_like || lower == "."
}

/// Whether a text is a number in JSON's grammar.
pub(super) fn is_json_number(text: &str) -> bool {
    matches!(Json::parse(text.as_bytes()), Ok(Json::Number(n)) if n == text)
}
