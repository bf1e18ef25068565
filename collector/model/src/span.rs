//! The span row: one per received fragment, in the terms of OTLP, wide enough to hold Zipkin without loss.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use tracepact_base::{SpanId, TraceId};

/// A typed attribute value: OTLP's `AnyValue`. Zipkin tags are [`Value::String`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// UTF-8 text.
    String(Arc<str>),
    /// True or false.
    Bool(bool),
    /// Signed 64-bit integer.
    Int(i64),
    /// 64-bit float.
    Double(f64),
    /// Raw bytes.
    Bytes(Arc<[u8]>),
    /// A list of values, types may differ.
    Array(Vec<Value>),
    /// Nested key-value pairs in their order of arrival.
    Map(Vec<(Arc<str>, Value)>),
    /// An `AnyValue` with nothing set.
    Empty,
}

/// Attributes in their order of arrival; a key may appear once per level.
pub type Attributes = Vec<(Arc<str>, Value)>;

/// What the span is about, seen from its service. `Unset` differs from `Internal`: Zipkin has spans without a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// Not said.
    #[default]
    Unset,
    /// Work inside the service.
    Internal,
    /// The serving side of a request.
    Server,
    /// The calling side of a request.
    Client,
    /// Sends a message.
    Producer,
    /// Receives or processes a message.
    Consumer,
}

/// OTLP's status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum StatusCode {
    /// Not said.
    #[default]
    Unset,
    /// Said to be fine by the application.
    Ok,
    /// Failed.
    Error,
}

/// How the span ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The code.
    pub code: StatusCode,
    /// The application's words; empty when there are none.
    pub message: Arc<str>,
}

/// One side of a span: Zipkin's endpoint. All `None` means the sender said nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Endpoint {
    /// Service name in its original case.
    pub service_name: Option<Arc<str>>,
    /// IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// Port; `None` for unknown (Zipkin's 0).
    pub port: Option<u16>,
}

impl Endpoint {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Something that happened inside the span. A Zipkin annotation is an event without attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanEvent {
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
    /// What.
    pub name: Arc<str>,
    /// Details.
    pub attributes: Attributes,
    /// Details the sender dropped.
    pub dropped_attributes: u32,
}

/// A reference to a span of this or another trace.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanLink {
    /// The other span's trace.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// W3C tracestate of the other context.
    pub tracestate: Arc<str>,
    /// Details.
    pub attributes: Attributes,
    /// W3C trace flags and OTLP's remote marks.
    pub flags: u32,
    /// Details the sender dropped.
    pub dropped_attributes: u32,
}

/// Marks on a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SpanFlags {
    /// Zipkin's debug flag: keep whatever sampling says.
    pub debug: bool,
    /// Zipkin's shared flag: the server's half of a span whose client half has the same id.
    pub shared: bool,
    /// Something was cut to a limit when it was received.
    pub truncated: bool,
    /// The end lay before the start; the duration was set to 0.
    pub end_before_start: bool,
    /// OTLP's `flags` word as received (W3C trace flags in the low byte); 0 when absent.
    pub otlp: u32,
}

/// Which wire format a fragment came in. Readers convert, writers do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Source {
    /// Zipkin v1 (JSON or thrift).
    ZipkinV1,
    /// Zipkin v2 (JSON or proto3).
    #[default]
    ZipkinV2,
    /// OTLP.
    Otlp,
}

/// Who made the span: OTLP's resource. Shared by all spans of one group in a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource {
    /// `service.name` and everything else said about the process.
    pub attributes: Attributes,
    /// Details the sender dropped.
    pub dropped_attributes: u32,
    /// Schema address, empty when absent.
    pub schema_url: Arc<str>,
    /// Which attributes name the entities that the resource is made of; in development in OTLP, kept as it came.
    pub entities: Vec<EntityRef>,
}

/// OTLP's reference to an entity within a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntityRef {
    /// Schema address, empty when absent.
    pub schema_url: Arc<str>,
    /// Kind of the entity, `service` or `host` for example.
    pub kind: Arc<str>,
    /// Keys of attributes that identify it.
    pub id_keys: Vec<Arc<str>>,
    /// Keys of attributes that describe it.
    pub description_keys: Vec<Arc<str>>,
}

/// Which library made the span: OTLP's instrumentation scope.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// Library name.
    pub name: Arc<str>,
    /// Library version.
    pub version: Arc<str>,
    /// Details.
    pub attributes: Attributes,
    /// Details the sender dropped.
    pub dropped_attributes: u32,
    /// Schema address, empty when absent.
    pub schema_url: Arc<str>,
}

/// One received fragment of a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// The parent; `None` for a root.
    pub parent_id: Option<SpanId>,
    /// Start in nanoseconds since 1970; `None` when this fragment does not say (which is not 0).
    pub start_ns: Option<u64>,
    /// Length in nanoseconds; `None` when this fragment does not say.
    pub duration_ns: Option<u64>,
    /// Kind.
    pub kind: Kind,
    /// Operation name in its original case; empty when absent.
    pub name: Arc<str>,
    /// Status (OTLP). Zipkin says errors with an `error` tag.
    pub status: Status,
    /// Marks.
    pub flags: SpanFlags,
    /// W3C tracestate; empty when absent.
    pub tracestate: Arc<str>,
    /// Wire format.
    pub source: Source,
    /// This side. For OTLP the service name is lifted from the resource.
    pub local: Endpoint,
    /// The other side.
    pub remote: Endpoint,
    /// `service.instance.id`, lifted from the resource.
    pub instance: Option<Arc<str>>,
    /// `service.version`, lifted from the resource.
    pub version: Option<Arc<str>>,
    /// Span attributes (Zipkin tags).
    pub attributes: Attributes,
    /// Events (Zipkin annotations).
    pub events: Vec<SpanEvent>,
    /// Links.
    pub links: Vec<SpanLink>,
    /// Counts of what the sender dropped: attributes, events, links.
    pub dropped: [u32; 3],
    /// Resource; an empty one for Zipkin.
    pub resource: Arc<Resource>,
    /// Scope; an empty one for Zipkin.
    pub scope: Arc<Scope>,
}

impl Span {
    /// An otherwise empty fragment.
    pub fn new(trace_id: TraceId, span_id: SpanId) -> Self {
        Self {
            trace_id,
            span_id,
            parent_id: None,
            start_ns: None,
            duration_ns: None,
            kind: Kind::Unset,
            name: "".into(),
            status: Status::default(),
            flags: SpanFlags::default(),
            tracestate: "".into(),
            source: Source::default(),
            local: Endpoint::default(),
            remote: Endpoint::default(),
            instance: None,
            version: None,
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            dropped: [0; 3],
            resource: Arc::default(),
            scope: Arc::default(),
        }
    }

    /// The value of a span attribute.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        self.attributes.iter().find(|(k, _)| &**k == key).map(|(_, v)| v)
    }

    /// Whether the span failed: OTLP status error, or Zipkin's `error` tag (an annotation of that name does not count).
    pub fn is_error(&self) -> bool {
        self.status.code == StatusCode::Error || self.attribute("error").is_some()
    }
}
