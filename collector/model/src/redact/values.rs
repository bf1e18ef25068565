//! What secrets look like, whatever their key.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, packed};
use regex::bytes::{Regex, RegexBuilder};

use super::Action;

/// Largest compiled form of one pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Most passes over one text: a stand-in may end up beside what then looks like a secret.
const PASSES_MAX: usize = 4;

/// Patterns of values hidden unless configured otherwise, each with texts of which one must occur for it to match:
/// bearer tokens, JSON web tokens, keys of AWS, GitHub, Slack and Stripe, private keys, secrets in query strings,
/// passwords in addresses.
pub const DEFAULT_VALUES: [(&str, &[&str]); 8] = [
    (r"[Bb]earer +(?P<secret>[A-Za-z0-9._~+/=-]{8,})", &["earer "]),
    (r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", &["eyJ"]),
    (r"(?:AKIA|ASIA)[0-9A-Z]{16}", &["AKIA", "ASIA"]),
    (
        r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
    ),
    (r"xox[abeoprs]-[A-Za-z0-9-]{10,}|[sr]k_live_[A-Za-z0-9]{16,}", &["xox", "k_live_"]),
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<secret>[^-]*)", &["PRIVATE KEY-----"]),
    (
        r#"[?&](?:access_token|id_token|token|api_key|apikey|password|secret|client_secret|sig|signature)=(?P<secret>[^&\s"'<>\\]+)"#,
        &["token=", "key=", "password=", "secret=", "sig=", "signature="],
    ),
    (r#"://[^/\s:@"\\]*:(?P<secret>[^/\s@"\\]+)@"#, &["@"]),
];

/// A pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no usable regular expression: {reason}")]
pub struct PatternError {
    /// As it was written.
    pub pattern: String,
    /// What is wrong.
    pub reason: String,
}

/// A set of patterns.
#[derive(Debug, Clone, Default)]
pub(super) struct ValuePatterns {
    patterns: Vec<Regex>,
    /// Texts without which no pattern matches; `None` when some pattern has none.
    needles: Option<Arc<Needles>>,
}

#[derive(Debug)]
struct Needles {
    /// Looks at many bytes at a time, where the machine can.
    packed: Option<packed::Searcher>,
    texts: AhoCorasick,
    bytes: Vec<u8>,
}

impl Needles {
    /// Whether one of the texts stands in `body`.
    fn occur(&self, body: &[u8]) -> bool {
        match &self.packed {
            Some(packed) if body.len() >= packed.minimum_len() => packed.find(body).is_some(),
            _ => self.texts.is_match(body),
        }
    }
}

static DEFAULTS: LazyLock<Option<ValuePatterns>> = LazyLock::new(|| {
    let patterns =
        DEFAULT_VALUES.iter().map(|(pattern, _)| compile(pattern)).collect::<Result<_, _>>().ok()?;
    let needles = DEFAULT_VALUES.iter().flat_map(|(_, needles)| *needles);
    let (bytes, texts): (Vec<&str>, Vec<&str>) = needles.partition(|needle| needle.len() == 1);
    let needles = Needles {
        packed: packed::Searcher::new(&texts),
        texts: AhoCorasick::new(texts).ok()?,
        bytes: bytes.concat().into_bytes(),
    };
    Some(ValuePatterns { patterns, needles: Some(Arc::new(needles)) })
});

fn compile(pattern: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build().map_err(|error| PatternError {
        pattern: pattern.to_owned(),
        reason: error.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

impl ValuePatterns {
    /// [`DEFAULT_VALUES`]. That they compile is a test.
    pub(super) fn defaults() -> Self {
        DEFAULTS.clone().unwrap_or_default()
    }

    /// Adds patterns of which nothing is known.
    pub(super) fn add<P: AsRef<str>>(
        &mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Result<(), PatternError> {
        for pattern in patterns {
            self.patterns.push(compile(pattern.as_ref())?);
            self.needles = None;
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    pub(super) fn may_match(&self, body: &[u8]) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let Some(needles) = &self.needles else { return true };
        needles.occur(body)
            || needles.bytes.iter().any(|byte| memchr::memchr(*byte, body).is_some())
            // JSON may write any character of a needle as an escape.
            || memchr::memmem::find(body, b"\\u00").is_some()
    }

    /// Where secrets stand in `text`, in order and apart.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for pattern in &self.patterns {
            for captures in pattern.captures_iter(text) {
                let secret = captures.name("secret").or_else(|| captures.get(0));
                found.extend(secret.map(|secret| secret.range()).filter(|range| !range.is_empty()));
            }
        }
        found.sort_by_key(|range| (range.start, range.end));
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match apart.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }

    /// `text` with every secret replaced.
    pub(super) fn hide<'t>(&self, text: &'t str, action: &Action) -> Cow<'t, str> {
        let mut hidden = Cow::Borrowed(text);
        for _ in 0..PASSES_MAX {
            let mut out = String::new();
            let mut from = 0;
            for range in self.find(hidden.as_bytes()) {
                // A pattern on bytes may end inside a character.
                let start = hidden.floor_char_boundary(range.start).max(from);
                let end = hidden.ceil_char_boundary(range.end);
                let secret = &hidden[start..end];
                if secret.is_empty() || action.is_done(secret) {
                    continue;
                }
                out.push_str(&hidden[from..start]);
                out.push_str(&action.stand_in(secret));
                from = end;
            }
            if from == 0 {
                break;
            }
            out.push_str(&hidden[from..]);
            hidden = Cow::Owned(out);
        }
        hidden
    }
}
