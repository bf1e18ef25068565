//! Calls that a trace makes again although it has the answer: same callee, same operation, same key.
//!
//! The usual case is the loop that asks once per item ("N+1"). A call counts when it only reads, when something on its
//! span says what was asked for (an address, a statement, a key), and when an earlier one of the same kind succeeded: what
//! is tried again after a failure is no waste. A statement with places for values that the span does not tell may have
//! asked for something else each time: such a group is told as not certain.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tracepact_model::{Kind, Span};

use crate::{Interval, Node, Tree};

/// What says which thing was asked for, from OpenTelemetry's semantic conventions (stable and older names) and Brave's.
/// All that are there make the key together.
const KEYS: [&str; 15] = [
    "url.full",
    "http.url",
    "http.target",
    "url.path",
    "url.query",
    "http.path",
    "db.query.text",
    "db.statement",
    "sql.query",
    "db.redis.key",
    "db.mongodb.collection",
    "rpc.request.key",
    "cache.key",
    "graphql.document",
    "messaging.kafka.message.key",
];
/// Values of a statement's places (`db.query.parameter.<key>`); they belong to the key.
const PARAMETER: &str = "db.query.parameter.";
const METHODS: [&str; 2] = ["http.request.method", "http.method"];
const OPERATIONS: [&str; 2] = ["db.operation.name", "db.operation"];
const STATEMENTS: [&str; 3] = ["db.query.text", "db.statement", "sql.query"];
/// HTTP's safe methods (RFC 9110, section 9.2.1).
const READING_METHODS: [&str; 3] = ["GET", "HEAD", "OPTIONS"];
/// First words of statements and commands that change something.
const CHANGING: [&str; 22] = [
    "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "UPSERT", "CREATE", "ALTER", "DROP", "TRUNCATE",
    "BEGIN", "COMMIT", "ROLLBACK", "START", "SET", "SETEX", "DEL", "INCR", "DECR", "LPUSH", "RPUSH", "HSET",
];
/// Longest key that is shown; keys are compared whole.
const SHOWN_CHARS_MAX: usize = 300;

/// Calls of one kind that were made more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatedCall {
    /// Who was called; `None` when nothing says it.
    pub callee: Option<String>,
    /// The operation, as the caller names it.
    pub operation: String,
    /// What was asked for.
    pub key: String,
    /// `false`: the statement has places whose values are not told.
    pub certain: bool,
    /// Indexes of the calls in [`Tree::nodes`], by start.
    pub calls: Vec<usize>,
    /// Calls that an earlier one had answered already: at least 1.
    pub needless: usize,
    /// Time of the needless ones together, in nanoseconds; those side by side count each.
    pub needless_ns: u64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    callee: Option<String>,
    operation: String,
    key: String,
}

/// The needless repetitions of a trace, those that cost most time first.
pub fn repeated_calls(tree: &Tree, intervals: &[Option<Interval>]) -> Vec<RepeatedCall> {
    let mut groups: BTreeMap<Group, (bool, Vec<usize>)> = BTreeMap::new();
    for (index, node) in tree.nodes.iter().enumerate() {
        if !is_call(tree, node) || changes(&node.span) {
            continue;
        }
        let Some((key, certain)) = key(&node.span) else { continue };
        let group = Group { callee: callee(tree, node), operation: node.span.name.to_string(), key };
        let (all_certain, calls) = groups.entry(group).or_insert((true, Vec::new()));
        *all_certain &= certain;
        calls.push(index);
    }
    let mut repeated: Vec<RepeatedCall> =
        groups.into_iter().filter_map(|(group, calls)| repeated(tree, intervals, group, calls)).collect();
    repeated.sort_by_key(|call| Reverse((call.needless_ns, call.needless)));
    repeated
}

fn repeated(
    tree: &Tree,
    intervals: &[Option<Interval>],
    group: Group,
    (certain, mut calls): (bool, Vec<usize>),
) -> Option<RepeatedCall> {
    calls.sort_by_key(|call| (intervals[*call].map(|at| at.start_ns), *call));
    let (mut answered, mut needless, mut needless_ns) = (false, 0, 0u64);
    for call in &calls {
        if answered {
            needless += 1;
            needless_ns = needless_ns.saturating_add(intervals[*call].map_or(0, |at| at.length_ns()));
        }
        answered |= !failed(tree, &tree.nodes[*call]);
    }
    let Group { callee, operation, key } = group;
    let key = match key.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key,
    };
    (needless > 0).then_some(RepeatedCall { callee, operation, key, certain, calls, needless, needless_ns })
}

/// A call is told once: by its client, or by its server when the client did not report.
fn is_call(tree: &Tree, node: &Node) -> bool {
    match node.span.kind {
        Kind::Client => true,
        Kind::Server => node.parent.is_some_and(|parent| tree.nodes[parent].span.kind != Kind::Client),
        // A local span that names a database, as older Zipkin instrumentation sends it.
        Kind::Unset => node.span.remote.service_name.is_some() && node.children.is_empty(),
        _ => false,
    }
}

/// The server's own name, else the client's name for it.
fn callee(tree: &Tree, node: &Node) -> Option<String> {
    let served = node.children.iter().map(|child| &tree.nodes[*child].span).find(|s| s.kind == Kind::Server);
    let name = match node.span.kind {
        Kind::Server => node.span.local.service_name.as_deref(),
        _ => served.and_then(|server| server.local.service_name.as_deref()).or(node
            .span
            .remote
            .service_name
            .as_deref()),
    };
    name.filter(|name| !name.is_empty()).map(str::to_owned)
}

fn failed(tree: &Tree, node: &Node) -> bool {
    let server = |child: &usize| {
        let span = &tree.nodes[*child].span;
        span.kind == Kind::Server && span.is_error()
    };
    node.span.is_error() || node.children.iter().any(server)
}

fn text(span: &Span, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| span.attribute(key)).map(|value| value.text().into_owned())
}

fn changes(span: &Span) -> bool {
    if let Some(method) = text(span, &METHODS) {
        return !READING_METHODS.contains(&method.to_ascii_uppercase().as_str());
    }
    // Without a method the span's name often begins with it.
    let first = |text: &str| text.split_whitespace().next().unwrap_or("").to_ascii_uppercase();
    let name = first(&span.name);
    if ["POST", "PUT", "PATCH"].contains(&name.as_str()) || CHANGING.contains(&name.as_str()) {
        return true;
    }
    let operation = text(span, &OPERATIONS).map(|operation| first(&operation));
    let statement = text(span, &STATEMENTS).map(|statement| first(&statement));
    [operation, statement].iter().flatten().any(|word| CHANGING.contains(&word.as_str()))
}

/// What was asked for, and whether that says everything. `None` when nothing says it.
fn key(span: &Span) -> Option<(String, bool)> {
    let found = KEYS.iter().filter_map(|key| span.attribute(key)).map(|value| value.text().into_owned());
    let mut parts: Vec<String> = found.filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return None;
    }
    let mut parameters: Vec<String> = span
        .attributes
        .iter()
        .filter(|(key, _)| key.starts_with(PARAMETER))
        .map(|(key, value)| format!("{}={}", &key[PARAMETER.len()..], value.text()))
        .collect();
    let statement = text(span, &STATEMENTS).unwrap_or_default();
    let certain = !parameters.is_empty() || !has_places(&statement);
    parameters.sort_unstable();
    parts.append(&mut parameters);
    Some((parts.join(" "), certain))
}

/// `?`, `$1`, `:name`, `@name`, `%s` in a statement stand for values.
fn has_places(statement: &str) -> bool {
    let bytes = statement.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        let next = bytes.get(at + 1).copied().unwrap_or(b' ');
        let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
        match byte {
            b'?' => true,
            b'$' => next.is_ascii_digit(),
            // `a::text` is a cast.
            b':' => next.is_ascii_alphabetic() && before != b':' && !before.is_ascii_alphanumeric(),
            b'@' => next.is_ascii_alphabetic() && !before.is_ascii_alphanumeric(),
            b'%' => next == b's',
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests;
