//! W3C `baggage`: ordered members with percent-encoded values and properties, bounded.

/// Most bytes that are read or written, over all members.
pub const BYTES_MAX: usize = 8192;
/// Most members that are read or written.
pub const MEMBERS_MAX: usize = 180;

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The key: an HTTP token.
    pub key: String,
    /// The value, decoded.
    pub value: String,
    /// Properties as they were sent, without the leading `;`; empty when there are none.
    pub properties: String,
}

/// The baggage of a request. Keys are unique; of a repeated key the last value holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baggage {
    members: Vec<Member>,
}

impl Baggage {
    /// Reads header lines as one list. Malformed members are dropped, the others kept; reading stops before the
    /// member that would pass 8192 bytes or 180 members, so no member is ever cut in half.
    pub fn parse(lines: Vec<&[u8]>) -> Self {
        let mut baggage = Self::default();
        let mut bytes = 0;
        for line in lines {
            let Ok(line) = std::str::from_utf8(line) else { continue };
            for text in line.split(',') {
                let text = text.trim_matches([' ', '\t']);
                if text.is_empty() {
                    continue;
                }
                bytes += text.len() + usize::from(bytes > 0);
                if bytes > BYTES_MAX || baggage.members.len() == MEMBERS_MAX {
                    return baggage;
                }
                if let Some(member) = parse_member(text) {
                    baggage.put(member);
                }
            }
        }
        baggage
    }

    /// Sets a member. False, and nothing changed, when the key is not a token or a bound would be passed.
    pub fn insert(&mut self, key: &str, value: &str) -> bool {
        if !is_token(key) {
            return false;
        }
        let mut changed = self.clone();
        changed.put(Member { key: key.to_owned(), value: value.to_owned(), properties: String::new() });
        let fits = changed.members.len() <= MEMBERS_MAX && changed.full_header().len() <= BYTES_MAX;
        if fits {
            *self = changed;
        }
        fits
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.members.iter().find(|m| m.key == key).map(|m| m.value.as_str())
    }

    /// The members in order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The header's value within the bounds (members from the end are left out); `None` when there is nothing.
    pub fn header(&self) -> Option<String> {
        let mut header = String::new();
        for member in self.members.iter().take(MEMBERS_MAX) {
            let text = format_member(member);
            if header.len() + text.len() + usize::from(!header.is_empty()) > BYTES_MAX {
                break;
            }
            if !header.is_empty() {
                header.push(',');
            }
            header.push_str(&text);
        }
        (!header.is_empty()).then_some(header)
    }

    fn full_header(&self) -> String {
        self.members.iter().map(format_member).collect::<Vec<_>>().join(",")
    }

    fn put(&mut self, member: Member) {
        match self.members.iter_mut().find(|m| m.key == member.key) {
            Some(known) => *known = member,
            None => self.members.push(member),
        }
    }
}

fn parse_member(text: &str) -> Option<Member> {
    let (pair, properties) = text.split_once(';').unwrap_or((text, ""));
    let (key, value) = pair.split_once('=')?;
    let (key, value) = (key.trim_matches([' ', '\t']), value.trim_matches([' ', '\t']));
    if !is_token(key) || !value.bytes().all(is_value_byte) {
        return None;
    }
    let properties = properties.trim_matches([' ', '\t']);
    if !properties.bytes().all(|b| is_value_byte(b) || matches!(b, b';' | b' ' | b'\t')) {
        return None;
    }
    Some(Member { key: key.to_owned(), value: decode(value), properties: properties.to_owned() })
}

fn format_member(member: &Member) -> String {
    let mut text = format!("{}={}", member.key, encode(&member.value));
    if !member.properties.is_empty() {
        text.push(';');
        text.push_str(&member.properties);
    }
    text
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
                )
        })
}

/// baggage-octet: visible ASCII without `"`, `,`, `;` and `\`.
fn is_value_byte(b: u8) -> bool {
    matches!(b, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if is_value_byte(byte) && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(line: &str) -> Baggage {
        Baggage::parse(vec![line.as_bytes()])
    }

    #[test]
    fn values_are_decoded_and_properties_kept() {
        let baggage = parse("userId=Am%C3%A9lie ; ttl=5;secure , k2=v2,bad key=1,novalue");
        assert_eq!(baggage.get("userId"), Some("Amélie"));
        assert_eq!(baggage.header().unwrap(), "userId=Am%C3%A9lie;ttl=5;secure,k2=v2");
    }

    #[test]
    fn the_bounds_hold_at_whole_members() {
        let many = (0..200).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(parse(&many).members().len(), MEMBERS_MAX);
        let big = (0..10).map(|i| format!("k{i}={}", "v".repeat(1000))).collect::<Vec<_>>().join(",");
        let read = parse(&big);
        assert_eq!(read.members().len(), 8);
        assert!(read.header().unwrap().len() <= BYTES_MAX);
        assert!(!Baggage::default().insert("k", &"v".repeat(BYTES_MAX)));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(pairs in proptest::collection::vec(("[a-z]{1,8}", ".{0,30}"), 0..20)) {
            let mut baggage = Baggage::default();
            for (key, value) in &pairs { baggage.insert(key, value); }
            let text = baggage.header().unwrap_or_default();
            prop_assert_eq!(parse(&text), baggage);
        }
    }
}
