//! Thrift's binary protocol: fields of structs and lists, borrowed from the bytes.

/// Deepest nesting that is passed over.
const DEPTH_MAX: usize = 32;

pub(super) const STOP: u8 = 0;
pub(super) const BOOL: u8 = 2;
pub(super) const BYTE: u8 = 3;
pub(super) const DOUBLE: u8 = 4;
pub(super) const I16: u8 = 6;
pub(super) const I32: u8 = 8;
pub(super) const I64: u8 = 10;
pub(super) const STRING: u8 = 11;
pub(super) const STRUCT: u8 = 12;
pub(super) const MAP: u8 = 13;
pub(super) const SET: u8 = 14;
pub(super) const LIST: u8 = 15;

/// The rest of the bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ThriftWalk<'b>(pub(super) &'b [u8]);

type Result<T> = std::result::Result<T, String>;

impl<'b> ThriftWalk<'b> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (value, rest) = self.0.split_first_chunk().ok_or_else(|| truncated(N, self.0.len()))?;
        self.0 = rest;
        Ok(*value)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn i16(&mut self) -> Result<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// A length-prefixed string of bytes.
    pub(super) fn bytes(&mut self) -> Result<&'b [u8]> {
        let length = self.length()?;
        let (value, rest) = self.0.split_at_checked(length).ok_or_else(|| truncated(length, self.0.len()))?;
        self.0 = rest;
        Ok(value)
    }

    /// A length-prefixed text.
    pub(super) fn text(&mut self, what: &str) -> Result<&'b str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| format!("Malformed: {what} is not UTF-8"))
    }

    fn length(&mut self) -> Result<usize> {
        let length = self.i32()?;
        usize::try_from(length).map_err(|_| format!("Malformed: a length of {length}"))
    }

    /// The next field of a struct: its type and number. `None` at the struct's end.
    pub(super) fn field(&mut self) -> Result<Option<(u8, i16)>> {
        match self.byte()? {
            STOP => Ok(None),
            kind => Ok(Some((kind, self.i16()?))),
        }
    }

    /// The head of a list: how many items follow. Their type is not looked at, as in Zipkin.
    pub(super) fn list(&mut self) -> Result<usize> {
        self.byte()?;
        self.length()
    }

    /// Passes over a value of type `kind`.
    pub(super) fn skip(&mut self, kind: u8) -> Result<()> {
        self.skip_within(kind, DEPTH_MAX)
    }

    fn skip_within(&mut self, kind: u8, depth: usize) -> Result<()> {
        let depth = depth.checked_sub(1).ok_or_else(|| "Malformed: nested too deeply".to_owned())?;
        match kind {
            BOOL | BYTE => self.array::<1>().map(drop),
            I16 => self.array::<2>().map(drop),
            I32 => self.array::<4>().map(drop),
            DOUBLE | I64 => self.array::<8>().map(drop),
            STRING => self.bytes().map(drop),
            STRUCT => {
                while let Some((kind, _)) = self.field()? {
                    self.skip_within(kind, depth)?;
                }
                Ok(())
            }
            MAP => {
                let (key, value) = (self.byte()?, self.byte()?);
                for _ in 0..self.length()? {
                    self.skip_within(key, depth)?;
                    self.skip_within(value, depth)?;
                }
                Ok(())
            }
            SET | LIST => {
                let item = self.byte()?;
                for _ in 0..self.length()? {
                    self.skip_within(item, depth)?;
                }
                Ok(())
            }
            // Every known type takes bytes, so that a lying length ends with the bytes; others would not.
            other => Err(format!("Malformed: there is no type {other}")),
        }
    }
}

fn truncated(length: usize, available: usize) -> String {
    format!("Truncated: length {length} > bytes available {available}")
}
