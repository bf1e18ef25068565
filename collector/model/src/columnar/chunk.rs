//! Rows with everything their codes mean.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::rows::Columns;
pub use super::rows::Row;
use super::texts::Texts;
use crate::{Kind, Source, StatusCode};

/// The duration of a fragment that does not say one.
pub const NO_DURATION: u64 = u64::MAX;

/// Bits of a row's `flags`. The first four are as in a block's column of that name.
pub mod row_flags {
    /// Zipkin's debug flag.
    pub const DEBUG: u8 = 1;
    /// Zipkin's shared flag.
    pub const SHARED: u8 = 2;
    /// Something was cut to a limit.
    pub const TRUNCATED: u8 = 4;
    /// The end lay before the start.
    pub const END_BEFORE_START: u8 = 8;
    /// [`Span::is_error`](crate::Span::is_error).
    pub const ERROR: u8 = 16;
}

/// What an attribute's value is; the letter of a block's attribute types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ValueType {
    /// UTF-8 text.
    Text = 0,
    /// `true` or `false`.
    Bool = 1,
    /// Decimal integer.
    Int = 2,
    /// Decimal float.
    Double = 3,
    /// Base64 of bytes.
    Bytes = 4,
    /// A list or map, in the form of [`details`](super::details).
    Nested = 5,
    /// Nothing.
    Empty = 6,
}

impl ValueType {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Text, Self::Bool, Self::Int, Self::Double, Self::Bytes, Self::Nested, Self::Empty];

    /// The letter that stands for it on disk.
    pub const fn letter(self) -> char {
        match self {
            Self::Text => 's',
            Self::Bool => 'b',
            Self::Int => 'i',
            Self::Double => 'd',
            Self::Bytes => 'y',
            Self::Nested => 'j',
            Self::Empty => 'e',
        }
    }

    /// The type of a letter.
    pub fn from_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| letter.len() == 1 && letter.starts_with(kind.letter()))
    }
}

/// An attribute's key and the type of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u32);

impl Key {
    /// The key with this text, holding values of this type.
    pub const fn new(text: u32, kind: ValueType) -> Self {
        Self(text << 3 | kind as u32)
    }

    /// The key's text.
    pub const fn text(self) -> u32 {
        self.0 >> 3
    }

    /// The type of its value.
    pub const fn kind(self) -> ValueType {
        ValueType::ALL[(self.0 & 7) as usize % ValueType::ALL.len()]
    }

    /// The same key in another dictionary.
    pub const fn with_text(self, text: u32) -> Self {
        Self::new(text, self.kind())
    }
}

/// One side of a span, as codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct EndpointCodes {
    /// Text: the service's name; 0 when unknown.
    pub service: u32,
    /// Address.
    pub ipv4: Option<Ipv4Addr>,
    /// Address.
    pub ipv6: Option<Ipv6Addr>,
    /// Port; 0 when unknown.
    pub port: u16,
}

/// Who made a span, as codes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Text: the resource, in the form of [`details`](super::details); 0 for one that says nothing.
    pub resource: u32,
    /// Text: the scope, in the same form.
    pub scope: u32,
    /// Text: `service.instance.id`; 0 when absent.
    pub instance: u32,
    /// Text: `service.version`; 0 when absent.
    pub version: u32,
    /// Keys of the resource's attributes and their values as text, for searching.
    pub tags: Vec<(u32, u32)>,
}

/// Rows of one request, or of many, with their dictionary.
#[derive(Debug, Clone)]
pub struct SpanChunk {
    /// Every distinct text.
    pub texts: Texts,
    /// The rows.
    pub rows: Columns,
    /// Texts of the values of all attributes, row after row.
    pub values: Vec<u32>,
    /// Sequences of keys; 0 is the empty one.
    pub shapes: Vec<Box<[Key]>>,
    /// Endpoints; 0 is the empty one.
    pub endpoints: Vec<EndpointCodes>,
    /// Origins; 0 is the empty one.
    pub origins: Vec<Origin>,
    /// (row, text of the name) of every event, in the order of rows.
    pub event_names: Vec<(u32, u32)>,
    /// Every key on any level, nested ones too: what redaction has to look at. Only decoders note them, chunks that took
    /// in others do not.
    pub keys: Vec<u32>,
}

impl Default for SpanChunk {
    fn default() -> Self {
        Self {
            texts: Texts::default(),
            rows: Columns::default(),
            values: Vec::new(),
            shapes: vec![Box::default()],
            endpoints: vec![EndpointCodes::default()],
            origins: vec![Origin::default()],
            event_names: Vec::new(),
            keys: Vec::new(),
        }
    }
}

impl SpanChunk {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Keys and values of a row's attributes, in their order.
    pub fn attributes(&self, row: usize) -> impl Iterator<Item = (Key, u32)> {
        let shape = self.rows.shape.get(row).and_then(|shape| self.shapes.get(*shape as usize));
        let from = self.rows.values_at.get(row).copied().unwrap_or_default() as usize;
        let values = self.values.get(from..).unwrap_or_default();
        shape.into_iter().flatten().copied().zip(values.iter().copied())
    }

    /// Keeps the rows at the positions that `keep` accepts.
    pub fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        let kept: Vec<u32> = (0u32..).take(self.len()).filter(|row| keep(*row)).collect();
        if kept.len() == self.len() {
            return;
        }
        let mut rows = Columns::default();
        rows.reserve(kept.len());
        for row in &kept {
            rows.push(self.rows.get(*row as usize));
        }
        self.rows = rows;
        self.event_names = std::mem::take(&mut self.event_names)
            .into_iter()
            .filter_map(|(row, name)| Some((kept.binary_search(&row).ok()? as u32, name)))
            .collect();
    }

    /// Whether something was cut to a limit in any row.
    pub fn is_truncated(&self) -> bool {
        self.rows.flags.iter().any(|flags| flags & row_flags::TRUNCATED != 0)
    }

    /// Start of a row, when it says one.
    pub fn start_ns(&self, row: usize) -> Option<u64> {
        self.rows.start_ns.get(row).copied().filter(|start| *start > 0)
    }
}

/// The number of a kind in a row.
pub(crate) const fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Unset => 0,
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Client => 3,
        Kind::Producer => 4,
        Kind::Consumer => 5,
    }
}

impl Kind {
    /// The kind with this number in a row; OTLP's numbers.
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unset,
        }
    }
}

/// The number of a status in a row.
pub(crate) const fn status_number(status: StatusCode) -> u8 {
    match status {
        StatusCode::Unset => 0,
        StatusCode::Ok => 1,
        StatusCode::Error => 2,
    }
}

impl StatusCode {
    /// The status with this number in a row; OTLP's numbers.
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }
}

/// The number of a source in a row.
pub(crate) const fn source_number(source: Source) -> u8 {
    match source {
        Source::ZipkinV1 => 0,
        Source::ZipkinV2 => 1,
        Source::Otlp => 2,
    }
}

impl Source {
    /// The source with this number in a row.
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::ZipkinV1,
            1 => Self::ZipkinV2,
            _ => Self::Otlp,
        }
    }
}
