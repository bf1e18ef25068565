//! The columns of `spans.parquet`. The one definition: writers, readers and `docs/format.md` follow it. Behind them
//! stands one column `attributes.KEY` for each frequent attribute (`attributes:TYPE.KEY` for values that are not text).

use super::encode::Physical;

/// Version of the block format: of the columns, the index and `meta.json`.
pub const FORMAT_VERSION: u32 = 2;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Unsigned 64-bit number.
    U64,
    /// Unsigned 32-bit number.
    U32,
    /// 16 bytes, big-endian.
    Id16,
    /// UTF-8 text.
    Text,
}

impl ColumnType {
    /// How it stands in Parquet.
    pub(crate) const fn physical(self) -> Physical {
        match self {
            Self::U64 => Physical::U64,
            Self::U32 => Physical::U32,
            Self::Id16 => Physical::Id16,
            Self::Text => Physical::Text,
        }
    }

    /// The type in words, for the documentation.
    pub const fn words(self) -> &'static str {
        match self {
            Self::U64 => "unsigned 64-bit integer",
            Self::U32 => "unsigned 32-bit integer",
            Self::Id16 => "16 bytes, big-endian",
            Self::Text => "text",
        }
    }
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
    /// Whether it may be null, which means that the sender did not say.
    pub nullable: bool,
    /// What it means.
    pub doc: &'static str,
}

const fn column(name: &'static str, kind: ColumnType, nullable: bool, doc: &'static str) -> Column {
    Column { name, kind, nullable, doc }
}

use ColumnType::{Id16, Text, U32, U64};

/// All columns, in their order.
pub const COLUMNS: [Column; 34] = [
    column(
        "trace_id",
        Id16,
        false,
        "Trace id; a zero high half is a 64-bit id. Rows are sorted by its low half, its high half, then arrival.",
    ),
    column("span_id", U64, false, "Span id."),
    column(
        "parent_row",
        U32,
        true,
        "The parent among the rows of the same trace in this block, counted from 0; null for a root, and when the parent is not one of them.",
    ),
    column("parent_id", U64, true, "The parent's span id when the parent is not a row of this block."),
    column("lsn", U64, false, "Log sequence number of the request that brought the row."),
    column("start_ns", U64, true, "Start, nanoseconds since 1970 (UTC)."),
    column("duration_ns", U64, true, "Length in nanoseconds."),
    column("kind", Text, false, "`unset`, `internal`, `server`, `client`, `producer` or `consumer`."),
    column("name", Text, false, "Operation name as it was sent; empty when absent."),
    column(
        "status",
        Text,
        false,
        "OTLP's status: `unset`, `ok` or `error`. Zipkin says errors with a tag `error`.",
    ),
    column("status_message", Text, false, "The application's words; empty when absent."),
    column("source", Text, false, "Wire format: `zipkin_v1`, `zipkin_v2` or `otlp`."),
    column(
        "flags",
        U32,
        false,
        "Bits: 1 debug, 2 shared, 4 truncated at receipt, 8 ended before it started.",
    ),
    column("otlp_flags", U32, false, "OTLP's flags word; 0 when absent."),
    column("tracestate", Text, false, "W3C tracestate; empty when absent."),
    column("service", Text, true, "Service name as it was sent."),
    column("service_instance_id", Text, true, "`service.instance.id` of the resource."),
    column("service_version", Text, true, "`service.version` of the resource."),
    column("local_ipv4", Text, true, "This side's IPv4 address."),
    column("local_ipv6", Text, true, "This side's IPv6 address."),
    column("local_port", U32, true, "This side's port."),
    column("remote_service", Text, true, "The other side's service name."),
    column("remote_ipv4", Text, true, "The other side's IPv4 address."),
    column("remote_ipv6", Text, true, "The other side's IPv6 address."),
    column("remote_port", U32, true, "The other side's port."),
    column(
        "attribute_shape",
        Text,
        false,
        "JSON list of `[key, type]` of the span's attributes (Zipkin: tags), in order of arrival. Types: `s` text, `b` bool, `i` integer, `d` double, `y` bytes, `j` list or map, `e` empty.",
    ),
    column(
        "attribute_rest",
        Text,
        true,
        "JSON list of the values of those attributes that have no column of their own, in order of arrival.",
    ),
    column(
        "events",
        Text,
        false,
        "JSON list of events (Zipkin: annotations) with `at_ns`, `name`, `attributes`, `dropped`; empty when there are none.",
    ),
    column(
        "links",
        Text,
        false,
        "JSON list of links with `trace_id`, `span_id`, `tracestate`, `attributes`, `flags`, `dropped`; empty when there are none.",
    ),
    column("dropped_attributes", U32, false, "Attributes that the sender or a limit dropped."),
    column("dropped_events", U32, false, "Events that the sender or a limit dropped."),
    column("dropped_links", U32, false, "Links that the sender or a limit dropped."),
    column("resource", Text, false, "JSON of OTLP's resource; empty when it says nothing."),
    column("scope", Text, false, "JSON of OTLP's instrumentation scope; empty when it says nothing."),
];
