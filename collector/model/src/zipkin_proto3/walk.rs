//! Fields of a protobuf message, borrowed from its bytes.

/// Why bytes are no protobuf message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WireError {
    /// A length says more than there is.
    Truncated { length: u64, available: usize },
    /// Anything else.
    Malformed(&'static str),
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated { length, available } => {
                write!(f, "Truncated: length {length} > bytes available {available}")
            }
            Self::Malformed(what) => write!(f, "Malformed: {what}"),
        }
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire<'b> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'b [u8]),
    Fixed32(u32),
}

/// The rest of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk<'b>(pub(super) &'b [u8]);

impl<'b> Walk<'b> {
    /// The next field's number and value; `None` at the end.
    pub(super) fn field(&mut self) -> Result<Option<(u32, Wire<'b>)>, WireError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or(WireError::Malformed("a field number out of range"))?;
        let value = match key & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.varint()?;
                let available = self.0.len();
                let whole = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
                let (value, rest) = whole.ok_or(WireError::Truncated { length, available })?;
                self.0 = rest;
                Wire::Bytes(value)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(WireError::Malformed("a wire type that proto3 does not have")),
        };
        Ok(Some((number, value)))
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0_u64;
        for (index, byte) in self.0.iter().take(10).enumerate() {
            // The tenth byte holds the last bit.
            if index == 9 && *byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.0 = &self.0[index + 1..];
                return Ok(value);
            }
        }
        if self.0.len() < 10 {
            return Err(WireError::Truncated { length: self.0.len() as u64 + 1, available: self.0.len() });
        }
        Err(WireError::Malformed("a varint of more than 64 bits"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let truncated = WireError::Truncated { length: N as u64, available: self.0.len() };
        let (value, rest) = self.0.split_first_chunk().ok_or(truncated)?;
        self.0 = rest;
        Ok(*value)
    }
}
