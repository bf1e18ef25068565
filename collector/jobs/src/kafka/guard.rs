//! Walks an answer's bytes before the codec sees them.
//!
//! The codec reserves memory for as many elements as an array's length claims, before it reads the first; a damaged or
//! hostile length of two billion would abort the process. So the shape is checked first: every length fits in what is
//! left. All versions used here are "flexible": compact lengths, and tagged fields after every structure.

mod schema;

use kafka_protocol::messages::ApiKey;

/// Most array elements in one answer.
pub(crate) const ELEMENTS_MAX: usize = 2_000_000;

/// Why a body does not have the shape of its API and version.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShapeError {
    #[error("it ends {0} bytes too early")]
    Short(usize),
    #[error("a length of {0} is impossible")]
    Length(i64),
    #[error("it has more than {ELEMENTS_MAX} elements")]
    TooMany,
    #[error("{0} bytes follow its end")]
    Trailing(usize),
}

/// The type of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// This many bytes.
    Fixed(usize),
    /// A string, nullable or not.
    Text,
    /// Bytes, nullable or not.
    Blob,
    /// An array of structures, nullable or not.
    List(&'static [Field]),
    /// An array of fixed-size numbers.
    Numbers(usize),
}

/// A field and the versions that have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    kind: Kind,
    since: i16,
    until: i16,
}

/// Checks `body` against what `version` of `api` must look like.
pub(crate) fn check(api: ApiKey, version: i16, body: &[u8]) -> Result<(), ShapeError> {
    let Some((flexible_since, fields)) = schema::of(api) else { return Ok(()) };
    let mut walk = Walk { rest: body, version, flexible: version >= flexible_since, elements: 0 };
    walk.fields(fields)?;
    if walk.rest.is_empty() { Ok(()) } else { Err(ShapeError::Trailing(walk.rest.len())) }
}

struct Walk<'a> {
    rest: &'a [u8],
    version: i16,
    flexible: bool,
    elements: usize,
}

impl Walk<'_> {
    fn fields(&mut self, fields: &[Field]) -> Result<(), ShapeError> {
        let version = self.version;
        for field in fields.iter().filter(|f| (f.since..=f.until).contains(&version)) {
            self.field(field.kind)?;
        }
        if self.flexible { self.tags() } else { Ok(()) }
    }

    fn field(&mut self, kind: Kind) -> Result<(), ShapeError> {
        match kind {
            Kind::Fixed(bytes) => self.skip(bytes),
            Kind::Text => {
                let length = if self.flexible { self.compact_length()? } else { i64::from(self.short()?) };
                self.skip_nullable(length)
            }
            Kind::Blob => {
                let length = self.array_length()?;
                self.skip_nullable(length)
            }
            Kind::List(fields) => {
                for _ in 0..self.count()? {
                    self.fields(fields)?;
                }
                Ok(())
            }
            Kind::Numbers(bytes) => {
                let count = self.count()?;
                self.skip(count.saturating_mul(bytes))
            }
        }
    }

    /// Number of elements of an array; null counts as none.
    fn count(&mut self) -> Result<usize, ShapeError> {
        let length = self.array_length()?;
        if length < -1 {
            return Err(ShapeError::Length(length));
        }
        let count = usize::try_from(length).unwrap_or(0);
        if count > self.rest.len() {
            return Err(ShapeError::Length(length));
        }
        self.elements += count;
        if self.elements > ELEMENTS_MAX { Err(ShapeError::TooMany) } else { Ok(count) }
    }

    fn array_length(&mut self) -> Result<i64, ShapeError> {
        if self.flexible {
            return self.compact_length();
        }
        let (bytes, rest) =
            self.rest.split_first_chunk::<4>().ok_or_else(|| ShapeError::Short(4 - self.rest.len()))?;
        self.rest = rest;
        Ok(i64::from(i32::from_be_bytes(*bytes)))
    }

    /// A length written as itself plus one; zero is null.
    fn compact_length(&mut self) -> Result<i64, ShapeError> {
        Ok(i64::from(self.unsigned_varint()?) - 1)
    }

    fn skip_nullable(&mut self, length: i64) -> Result<(), ShapeError> {
        match usize::try_from(length) {
            Ok(length) => self.skip(length),
            Err(_) if length == -1 => Ok(()),
            Err(_) => Err(ShapeError::Length(length)),
        }
    }

    fn tags(&mut self) -> Result<(), ShapeError> {
        let count = self.unsigned_varint()?;
        for _ in 0..count {
            self.unsigned_varint()?;
            let size = self.unsigned_varint()?;
            self.skip(size as usize)?;
        }
        Ok(())
    }

    fn short(&mut self) -> Result<i16, ShapeError> {
        let (bytes, rest) =
            self.rest.split_first_chunk::<2>().ok_or_else(|| ShapeError::Short(2 - self.rest.len()))?;
        self.rest = rest;
        Ok(i16::from_be_bytes(*bytes))
    }

    fn unsigned_varint(&mut self) -> Result<u32, ShapeError> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(ShapeError::Short(1))?;
            self.rest = rest;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ShapeError::Length(i64::from(value)))
    }

    fn skip(&mut self, bytes: usize) -> Result<(), ShapeError> {
        if bytes > self.rest.len() {
            return Err(ShapeError::Short(bytes - self.rest.len()));
        }
        self.rest = &self.rest[bytes..];
        Ok(())
    }
}

/// Checks `data` as an answer of every API and version that is read here, and decodes what passes.
pub(super) fn fuzz(data: &[u8]) {
    use kafka_protocol::messages as m;
    use kafka_protocol::protocol::Decodable;
    fn decode<R: Decodable>(data: &[u8], version: i16) {
        drop(R::decode(&mut bytes::Bytes::copy_from_slice(data), version));
    }
    for (api, version) in schema::USED {
        if check(*api, *version, data).is_err() {
            continue;
        }
        match api {
            ApiKey::Metadata => decode::<m::MetadataResponse>(data, *version),
            ApiKey::ListGroups => decode::<m::ListGroupsResponse>(data, *version),
            ApiKey::OffsetFetch => decode::<m::OffsetFetchResponse>(data, *version),
            ApiKey::ListOffsets => decode::<m::ListOffsetsResponse>(data, *version),
            ApiKey::DescribeGroups => decode::<m::DescribeGroupsResponse>(data, *version),
            ApiKey::FindCoordinator => decode::<m::FindCoordinatorResponse>(data, *version),
            _ => decode::<m::FetchResponse>(data, *version),
        }
    }
}
