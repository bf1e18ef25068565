//! Protobuf's wire format, read in place. What is not plain is [`Odd`]: then the whole body goes the well-known way,
//! which decides what it means or what is wrong with it.

/// Something that this reader leaves to the general decoder: malformed bytes, groups, messages in pieces, limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Odd;

/// The fields of one message that are left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire<'b>(pub(super) &'b [u8]);

/// A field's content.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'b> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'b [u8]),
}

impl<'b> Wire<'b> {
    /// The next field's number and content; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Field<'b>)>, Odd> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = u32::try_from(self.varint()?).map_err(|_| Odd)?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| Odd)?;
                Field::Bytes(self.bytes(len)?)
            }
            5 => Field::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(Odd),
        };
        match tag >> 3 {
            0 => Err(Odd),
            number => Ok(Some((number, field))),
        }
    }

    fn varint(&mut self) -> Result<u64, Odd> {
        let mut value = 0u64;
        for (i, byte) in self.0.iter().take(10).enumerate() {
            if i == 9 && *byte > 1 {
                return Err(Odd);
            }
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte & 0x80 == 0 {
                self.0 = self.0.get(i + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(Odd)
    }

    fn bytes(&mut self, len: usize) -> Result<&'b [u8], Odd> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(Odd)?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Odd> {
        let (head, tail) = self.0.split_first_chunk().ok_or(Odd)?;
        self.0 = tail;
        Ok(*head)
    }
}

impl<'b> Field<'b> {
    pub(super) fn bytes(self) -> Result<&'b [u8], Odd> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Odd),
        }
    }

    pub(super) fn text(self) -> Result<&'b str, Odd> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Odd)
    }

    pub(super) fn varint(self) -> Result<u64, Odd> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err(Odd),
        }
    }

    /// A `uint32`: the lower half, as protobuf cuts it.
    pub(super) fn u32(self) -> Result<u32, Odd> {
        self.varint().map(|value| value as u32)
    }

    pub(super) fn fixed64(self) -> Result<u64, Odd> {
        match self {
            Self::Fixed64(value) => Ok(value),
            _ => Err(Odd),
        }
    }

    pub(super) fn fixed32(self) -> Result<u32, Odd> {
        match self {
            Self::Fixed32(value) => Ok(value),
            _ => Err(Odd),
        }
    }
}

/// Sets a message that may stand only once; in pieces it is for the general decoder.
pub(super) fn once<'b>(slot: &mut Option<&'b [u8]>, field: Field<'b>) -> Result<(), Odd> {
    match slot.replace(field.bytes()?) {
        None => Ok(()),
        Some(_) => Err(Odd),
    }
}
