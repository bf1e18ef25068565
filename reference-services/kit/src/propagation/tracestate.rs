//! `tracestate`: an ordered list of at most 32 `key=value` members.
//!
//! Source: W3C Trace Context. The key grammar is the relaxed one of the current specification and of its test
//! suite: a key begins with a lower-case letter or a digit and then has letters, digits and `_-*/@`, at most 256
//! characters; every key of the stricter level-1 grammar is inside it.

/// Most members a `tracestate` may have.
pub const MEMBERS_MAX: usize = 32;
/// Combined length that every party must carry; a longer list is shortened before it is sent on.
pub const CARRIED_CHARS: usize = 512;
/// A member longer than this goes first when a list is shortened.
const LONG_MEMBER_CHARS: usize = 128;

/// A valid list; empty means no header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceState {
    members: Vec<(String, String)>,
}

impl TraceState {
    /// Parses several header lines as one list. `None` when any member is malformed or there are more than 32:
    /// the whole list is then dropped, the `traceparent` is not. Of a repeated key the first member is kept.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut members: Vec<(String, String)> = Vec::new();
        let mut seen = 0;
        for line in lines {
            for member in line.split(',') {
                let member = member.trim_matches([' ', '\t']);
                if member.is_empty() {
                    continue;
                }
                seen += 1;
                if seen > MEMBERS_MAX {
                    return None;
                }
                let (key, value) = member.split_once('=')?;
                if !valid_key(key) || !valid_value(value) {
                    return None;
                }
                if members.iter().all(|(known, _)| known != key) {
                    members.push((key.to_owned(), value.to_owned()));
                }
            }
        }
        Some(Self { members })
    }

    /// The members, first (newest) to last.
    pub fn members(&self) -> &[(String, String)] {
        &self.members
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Puts a member in front, replacing one of the same key; the last member goes when there would be 33.
    /// False, and nothing changed, when key or value are malformed.
    pub fn insert(&mut self, key: &str, value: &str) -> bool {
        if !valid_key(key) || !valid_value(value) {
            return false;
        }
        self.members.retain(|(known, _)| known != key);
        self.members.insert(0, (key.to_owned(), value.to_owned()));
        self.members.truncate(MEMBERS_MAX);
        true
    }

    /// The header's value, at most [`CARRIED_CHARS`] long: members over 128 characters are dropped first (from
    /// the end), then members from the end. `None` for an empty list.
    pub fn header(&self) -> Option<String> {
        let mut kept: Vec<&(String, String)> = self.members.iter().collect();
        let size = |m: &(String, String)| m.0.len() + 1 + m.1.len();
        let total = |kept: &[&(String, String)]| {
            kept.iter().map(|m| size(m)).sum::<usize>() + kept.len().saturating_sub(1)
        };
        while total(&kept) > CARRIED_CHARS {
            match kept.iter().rposition(|m| size(m) > LONG_MEMBER_CHARS) {
                Some(at) => drop(kept.remove(at)),
                None => drop(kept.pop()),
            }
        }
        if kept.is_empty() {
            return None;
        }
        Some(kept.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","))
    }
}

fn valid_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    (1..=256).contains(&bytes.len())
        && (bytes[0].is_ascii_lowercase() || bytes[0].is_ascii_digit())
        && bytes.iter().all(|b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'*' | b'/' | b'@')
        })
}

fn valid_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    (1..=256).contains(&bytes.len())
        && bytes.iter().all(|b| (0x20..=0x7e).contains(b) && *b != b',' && *b != b'=')
        && bytes[bytes.len() - 1] != b' '
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(lines: &[&str]) -> Option<String> {
        TraceState::parse(lines.iter().copied()).map(|s| s.header().unwrap_or_default())
    }

    #[test]
    fn lines_are_combined_in_order_and_white_space_around_members_goes() {
        assert_eq!(parse(&["foo=1 \t , \t bar=2", "", "baz=3"]).unwrap(), "foo=1,bar=2,baz=3");
    }

    #[test]
    fn one_malformed_member_drops_the_list() {
        for bad in
            ["foo =1", "FOO=1", "foo.bar=1", "@foo=1", "foo=bar=baz", "foo=", "foo", "=1", "foo=\u{e9}"]
        {
            assert_eq!(TraceState::parse(["ok=1", bad]), None, "{bad}");
        }
    }

    #[test]
    fn the_limits_hold() {
        let members = |n: usize| (0..n).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
        assert!(TraceState::parse([members(32).as_str()]).is_some());
        assert!(TraceState::parse([members(33).as_str()]).is_none());
        assert!(TraceState::parse([format!("{}=1", "z".repeat(256)).as_str()]).is_some());
        assert!(TraceState::parse([format!("{}=1", "z".repeat(257)).as_str()]).is_none());
        assert!(TraceState::parse([format!("a={}", "z".repeat(256)).as_str()]).is_some());
        assert!(TraceState::parse([format!("a={}", "z".repeat(257)).as_str()]).is_none());
    }

    #[test]
    fn a_long_list_loses_its_long_members_first_then_its_tail() {
        let long = "x".repeat(200);
        let line = format!("a=1,b={long},c=2,d={long},e={long}");
        assert_eq!(parse(&[&line]).unwrap(), format!("a=1,b={long},c=2,d={long}"));
        let many = (0..30).map(|i| format!("key{i:02}={}", "v".repeat(20))).collect::<Vec<_>>().join(",");
        let sent = parse(&[&many]).unwrap();
        assert!(sent.len() <= CARRIED_CHARS && many.starts_with(&sent), "{sent}");
    }

    #[test]
    fn the_first_of_a_repeated_key_is_kept() {
        assert_eq!(parse(&["foo=1,foo=2", "foo=3"]).unwrap(), "foo=1");
    }

    proptest! {
        #[test]
        fn what_is_sent_parses_to_itself(line in "([a-z][a-z0-9_]{0,8}=[!-+--<>-~]{1,20},?){0,40}") {
            if let Some(state) = TraceState::parse([line.as_str()]) {
                let sent = state.header().unwrap_or_default();
                let again = TraceState::parse([sent.as_str()]).unwrap();
                prop_assert_eq!(again.header().unwrap_or_default(), sent);
            }
        }
    }
}
