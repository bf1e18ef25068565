//! Keys that usually hold secrets.

/// Keys hidden unless configured otherwise; a `*` at either end matches anything. Case does not matter.
pub const DEFAULT_PATTERNS: [&str; 10] = [
    "*authorization",
    "*cookie",
    "*password",
    "*passwd",
    "*secret",
    "*token",
    "*api_key",
    "*api-key",
    "*apikey",
    "*private_key",
];

/// A set of patterns.
#[derive(Debug, Clone)]
pub(super) struct KeyPatterns {
    patterns: Vec<Pattern>,
    /// Which last bytes of a key leave a match possible.
    ends: [bool; 256],
}

/// One pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// In lower case.
    pub(super) text: String,
    pub(super) open_start: bool,
    pub(super) open_end: bool,
}

impl KeyPatterns {
    pub(super) fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        let patterns: Vec<Pattern> =
            patterns.into_iter().filter_map(|pattern| Pattern::parse(pattern.as_ref())).collect();
        let mut ends = [patterns.iter().any(|pattern| pattern.open_end); 256];
        for last in patterns.iter().filter_map(|pattern| pattern.text.as_bytes().last()) {
            ends[usize::from(last.to_ascii_lowercase())] = true;
            ends[usize::from(last.to_ascii_uppercase())] = true;
        }
        Self { patterns, ends }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Pattern> {
        self.patterns.iter()
    }

    pub(super) fn hides(&self, key: &str) -> bool {
        // Most keys end like no pattern does.
        key.as_bytes().last().is_some_and(|last| self.ends[usize::from(*last)])
            && self.patterns.iter().any(|pattern| pattern.matches(key))
    }
}

impl Pattern {
    fn parse(pattern: &str) -> Option<Self> {
        let text = pattern.trim_matches('*').to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        Some(Self { text, open_start: pattern.starts_with('*'), open_end: pattern.ends_with('*') })
    }

    fn matches(&self, key: &str) -> bool {
        let (key, text) = (key.as_bytes(), self.text.as_bytes());
        if key.len() < text.len() {
            return false;
        }
        let equal = |part: &[u8]| part.eq_ignore_ascii_case(text);
        match (self.open_start, self.open_end) {
            (false, false) => equal(key),
            (true, false) => equal(&key[key.len() - text.len()..]),
            (false, true) => equal(&key[..text.len()]),
            (true, true) => key.windows(text.len()).any(equal),
        }
    }
}
