//! The numbers of a row, and many rows as one column for each number.

/// Defines the row and its columns, so that they cannot come apart.
macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// The numbers of one row. Texts, shapes, origins and endpoints are codes of the chunk that the row is in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Row {
            $($(#[$doc])* pub $name: $type,)*
        }

        /// Rows, column by column.
        #[derive(Debug, Clone, Default)]
        pub struct Columns {
            $($(#[$doc])* pub $name: Vec<$type>,)*
        }

        impl Columns {
            /// Bytes of one row.
            pub const ROW_BYTES: usize = 0 $(+ size_of::<$type>())*;

            /// Makes room for more rows.
            pub fn reserve(&mut self, rows: usize) {
                $(self.$name.reserve(rows);)*
            }

            /// Appends a row.
            pub fn push(&mut self, row: Row) {
                $(self.$name.push(row.$name);)*
            }

            /// The row at `index`; an empty one behind the end.
            pub fn get(&self, index: usize) -> Row {
                Row { $($name: self.$name.get(index).copied().unwrap_or_default(),)* }
            }

            /// Drops all rows from `rows` on.
            pub fn truncate(&mut self, rows: usize) {
                $(self.$name.truncate(rows);)*
            }
        }
    };
}

columns! {
    /// Low half of the trace id.
    trace_low: u64,
    /// High half of the trace id; 0 for a 64-bit id.
    trace_high: u64,
    /// Span id.
    span_id: u64,
    /// Parent's span id; 0 for a root.
    parent_id: u64,
    /// Nanoseconds since 1970; 0 when this fragment does not say.
    start_ns: u64,
    /// Nanoseconds; [`NO_DURATION`](super::NO_DURATION) when this fragment does not say.
    duration_ns: u64,
    /// Text: the operation.
    name: u32,
    /// Text: the application's words about its status.
    status_message: u32,
    /// Text: W3C tracestate.
    tracestate: u32,
    /// OTLP's flags word.
    otlp_flags: u32,
    /// Endpoint: this side.
    local: u32,
    /// Endpoint: the other side.
    remote: u32,
    /// Origin: resource, scope, instance, version.
    origin: u32,
    /// Shape: keys and types of the attributes.
    shape: u32,
    /// Where the values of the attributes begin.
    values_at: u32,
    /// Text: events, in the form of [`details`](super::details); empty for none.
    events: u32,
    /// Text: links, in the same form.
    links: u32,
    /// Attributes that the sender or a limit dropped.
    dropped_attributes: u32,
    /// Events that the sender or a limit dropped.
    dropped_events: u32,
    /// Links that the sender or a limit dropped.
    dropped_links: u32,
    /// [`Kind`](crate::Kind) by its number.
    kind: u8,
    /// [`StatusCode`](crate::StatusCode) by its number.
    status: u8,
    /// [`Source`](crate::Source) by its number.
    source: u8,
    /// Bits of [`row_flags`](super::row_flags).
    flags: u8,
}

impl Columns {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.span_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.span_id.is_empty()
    }
}
