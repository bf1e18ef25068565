//! A walk over JSON text (RFC 8259) that hands out borrowed pieces: no tree, no allocation but for escaped strings.
//!
//! The caller says what it expects and goes on to the next field or item; what it does not know it skips. Nesting is
//! bounded, and every error says at which byte.

use std::borrow::Cow;

/// Deepest nesting of objects and lists.
const DEPTH_MAX: usize = 200;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub(crate) struct JsonError {
    what: Cow<'static, str>,
    at: usize,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Object,
    List,
    Text,
    Number,
    Bool,
    Null,
}

/// A position in a JSON text.
#[derive(Debug, Clone)]
pub(crate) struct JsonWalk<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// Nothing was read yet of the innermost object or list.
    fresh: bool,
}

type Result<T> = std::result::Result<T, JsonError>;

impl<'t> JsonWalk<'t> {
    /// A walk over the whole of `body`, which must be UTF-8.
    pub(crate) fn new(body: &'t [u8]) -> Result<Self> {
        match std::str::from_utf8(body) {
            Ok(text) => Ok(Self { text, at: 0, depth: 0, fresh: false }),
            Err(error) => Err(JsonError { what: "invalid UTF-8".into(), at: error.valid_up_to() }),
        }
    }

    /// An error at the present position.
    pub(crate) fn error(&self, what: impl Into<Cow<'static, str>>) -> JsonError {
        JsonError { what: what.into(), at: self.at }
    }

    fn byte(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn take(&mut self, expected: u8, what: &'static str) -> Result<()> {
        match self.byte() {
            Some(byte) if byte == expected => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(self.error(what)),
            None => Err(self.error("the text ends too early")),
        }
    }

    /// What the next value is; nothing is consumed.
    pub(crate) fn peek(&mut self) -> Result<Next> {
        match self.byte() {
            Some(b'{') => Ok(Next::Object),
            Some(b'[') => Ok(Next::List),
            Some(b'"') => Ok(Next::Text),
            Some(b'-' | b'0'..=b'9') => Ok(Next::Number),
            Some(b't' | b'f') => Ok(Next::Bool),
            Some(b'n') => Ok(Next::Null),
            Some(_) => Err(self.error("a value is expected")),
            None => Err(self.error("the text ends too early")),
        }
    }

    fn open(&mut self, bracket: u8, what: &'static str) -> Result<()> {
        self.take(bracket, what)?;
        if self.depth >= DEPTH_MAX {
            return Err(self.error(format!("nested deeper than {DEPTH_MAX}")));
        }
        self.depth += 1;
        self.fresh = true;
        Ok(())
    }

    /// Whether a further field or item comes; consumes the comma before it or the closing bracket.
    fn more(&mut self, closing: u8) -> Result<bool> {
        let first = std::mem::replace(&mut self.fresh, false);
        match self.byte() {
            Some(byte) if byte == closing => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                match self.byte() {
                    Some(byte) if byte == closing => Err(self.error("a comma without anything behind it")),
                    _ => Ok(true),
                }
            }
            Some(_) if first => Ok(true),
            Some(_) => Err(self.error("a comma or a closing bracket is expected")),
            None => Err(self.error("the text ends too early")),
        }
    }

    /// Enters an object.
    pub(crate) fn object(&mut self) -> Result<()> {
        self.open(b'{', "an object is expected")
    }

    /// The next field's name; its value must be read or skipped. `None` behind the last.
    pub(crate) fn field(&mut self) -> Result<Option<Cow<'t, str>>> {
        if !self.more(b'}')? {
            return Ok(None);
        }
        let name = self.text()?;
        self.take(b':', "a colon is expected")?;
        Ok(Some(name))
    }

    /// Enters a list.
    pub(crate) fn list(&mut self) -> Result<()> {
        self.open(b'[', "a list is expected")
    }

    /// Whether a further item comes; it must be read or skipped.
    pub(crate) fn item(&mut self) -> Result<bool> {
        self.more(b']')
    }

    /// Consumes `null` when it is next.
    pub(crate) fn null(&mut self) -> Result<bool> {
        if self.peek()? != Next::Null {
            return Ok(false);
        }
        self.word("null")?;
        Ok(true)
    }

    fn word(&mut self, word: &'static str) -> Result<()> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.error("a value is expected"))
        }
    }

    /// `true` or `false`.
    pub(crate) fn bool(&mut self) -> Result<bool> {
        match self.byte() {
            Some(b't') => self.word("true").map(|()| true),
            Some(b'f') => self.word("false").map(|()| false),
            _ => Err(self.error("true or false is expected")),
        }
    }

    /// A number as it is written.
    pub(crate) fn number(&mut self) -> Result<&'t str> {
        if self.peek()? != Next::Number {
            return Err(self.error("a number is expected"));
        }
        let start = self.at;
        let bytes = self.text.as_bytes();
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let whole = start + usize::from(bytes[start] == b'-');
        let mut end = digits(whole);
        let mut valid = end > whole && (bytes[whole] != b'0' || end == whole + 1);
        if bytes.get(end) == Some(&b'.') {
            let fraction = end + 1;
            end = digits(fraction);
            valid &= end > fraction;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = end + 1;
            let exponent = sign + usize::from(matches!(bytes.get(sign), Some(b'+' | b'-')));
            end = digits(exponent);
            valid &= end > exponent;
        }
        if !valid {
            return Err(self.error("not a number"));
        }
        self.at = end;
        Ok(&self.text[start..end])
    }

    /// A string, borrowed where it has no escapes.
    pub(crate) fn text(&mut self) -> Result<Cow<'t, str>> {
        self.take(b'"', "a string is expected")?;
        let bytes = self.text.as_bytes();
        let mut owned = String::new();
        let mut from = self.at;
        loop {
            match bytes.get(self.at) {
                None => return Err(self.error("a string does not end")),
                Some(b'"') => {
                    let rest = &self.text[from..self.at];
                    self.at += 1;
                    return Ok(if owned.is_empty() {
                        Cow::Borrowed(rest)
                    } else {
                        owned.push_str(rest);
                        Cow::Owned(owned)
                    });
                }
                Some(b'\\') => {
                    owned.push_str(&self.text[from..self.at]);
                    self.at += 1;
                    owned.push(self.escape()?);
                    from = self.at;
                }
                Some(0..=0x1f) => return Err(self.error("a control character in a string")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let byte = self.text.as_bytes().get(self.at).copied();
        self.at += 1;
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let unit = self.unit()?;
                let code = match unit {
                    0xd800..=0xdbff => {
                        if !self.text[self.at..].starts_with("\\u") {
                            return Err(self.error("half of a surrogate pair"));
                        }
                        self.at += 2;
                        let low = self.unit()?;
                        if !(0xdc00..=0xdfff).contains(&low) {
                            return Err(self.error("half of a surrogate pair"));
                        }
                        0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
                    }
                    other => other,
                };
                char::from_u32(code).ok_or_else(|| self.error("half of a surrogate pair"))?
            }
            _ => return Err(self.error("an unknown escape")),
        })
    }

    fn unit(&mut self) -> Result<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let unit = digits
            .and_then(|digits| {
                digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
            })
            .ok_or_else(|| self.error("four hex digits are expected"))?;
        self.at += 4;
        Ok(unit)
    }

    /// Passes over one value of any kind.
    pub(crate) fn skip(&mut self) -> Result<()> {
        match self.peek()? {
            Next::Text => self.text().map(drop),
            Next::Number => self.number().map(drop),
            Next::Bool => self.bool().map(drop),
            Next::Null => self.word("null"),
            Next::List => {
                self.list()?;
                while self.item()? {
                    self.skip()?;
                }
                Ok(())
            }
            Next::Object => {
                self.object()?;
                while self.field()?.is_some() {
                    self.skip()?;
                }
                Ok(())
            }
        }
    }

    /// Whether only white space is left.
    pub(crate) fn end(&mut self) -> Result<()> {
        match self.byte() {
            None => Ok(()),
            Some(_) => Err(self.error("trailing characters")),
        }
    }
}

#[cfg(test)]
mod tests;
