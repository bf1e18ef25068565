//! Where a body came from: over which transport, in which format, from whom.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use parking_lot::RwLock;
use tracepact_listener::PeerAddr;
use tracepact_model::Codec;

/// How a body arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// HTTP.
    Http,
    /// gRPC.
    Grpc,
    /// A Kafka topic.
    Kafka,
    /// Not at all: made by this process.
    Local,
}

impl Transport {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
            Self::Kafka => "kafka",
            Self::Local => "local",
        }
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Zipkin v2 JSON.
    ZipkinJson,
    /// Zipkin v2 proto3.
    ZipkinProto3,
    /// Zipkin v1 JSON.
    ZipkinJsonV1,
    /// Zipkin v1 thrift.
    ZipkinThrift,
    /// OTLP protobuf.
    OtlpProto,
    /// OTLP JSON.
    OtlpJson,
}

impl Format {
    /// The codec that reads it.
    pub const fn codec(self) -> Codec {
        match self {
            Self::ZipkinJson => Codec::ZipkinJsonV2,
            Self::ZipkinProto3 => Codec::ZipkinProto3,
            Self::ZipkinJsonV1 => Codec::ZipkinJsonV1,
            Self::ZipkinThrift => Codec::ZipkinThrift,
            Self::OtlpProto => Codec::OtlpProto,
            Self::OtlpJson => Codec::OtlpJson,
        }
    }

    /// The format that `codec` reads; `None` for one that no sender uses.
    pub const fn of(codec: Codec) -> Option<Self> {
        Some(match codec {
            Codec::ZipkinJsonV2 => Self::ZipkinJson,
            Codec::ZipkinProto3 => Self::ZipkinProto3,
            Codec::ZipkinJsonV1 => Self::ZipkinJsonV1,
            Codec::ZipkinThrift => Self::ZipkinThrift,
            Codec::OtlpProto => Self::OtlpProto,
            Codec::OtlpJson => Self::OtlpJson,
            Codec::ZipkinV1Rows => return None,
        })
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::ZipkinJson => "zipkin_json",
            Self::ZipkinProto3 => "zipkin_proto3",
            Self::ZipkinJsonV1 => "zipkin_json_v1",
            Self::ZipkinThrift => "zipkin_thrift",
            Self::OtlpProto => "otlp_proto",
            Self::OtlpJson => "otlp_json",
        }
    }
}

/// Where a body came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The transport.
    pub transport: Transport,
    /// The format.
    pub format: Format,
    /// The address it came from, where the transport knows one: names the sender of what could not be read.
    pub peer: Option<IpAddr>,
}

impl Origin {
    /// Without an address.
    pub const fn new(transport: Transport, format: Format) -> Self {
        Self { transport, format, peer: None }
    }

    /// The origin of a request.
    pub(crate) fn of(request: &Request, transport: Transport, format: Format) -> Self {
        let peer = request.extensions().get::<PeerAddr>().map(|peer| peer.0.ip());
        Self { transport, format, peer }
    }
}

/// What stands for senders that are not told apart any more.
const OTHER: &str = "other";
/// Most distinct senders in the counters; whoever comes later is counted as `other`.
pub(crate) const SENDERS_MAX: usize = 200;
/// Longest name of a sender.
const SENDER_BYTES_MAX: usize = 100;

/// The senders that have counters of their own.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    known: RwLock<HashSet<Arc<str>>>,
}

impl Senders {
    /// The label of a sender by name.
    pub(crate) fn label(&self, name: &str) -> Arc<str> {
        let name = &name[..name.floor_char_boundary(SENDER_BYTES_MAX)];
        if let Some(known) = self.known.read().get(name) {
            return known.clone();
        }
        let mut known = self.known.write();
        if known.len() >= SENDERS_MAX {
            return OTHER.into();
        }
        let label: Arc<str> = name.into();
        known.insert(label.clone());
        label
    }

    /// The label of who sent something that could not be read.
    pub(crate) fn of_peer(&self, peer: Option<IpAddr>) -> Arc<str> {
        match peer {
            Some(peer) => self.label(&peer.to_string()),
            None => "unknown".into(),
        }
    }

    /// The label of who made spans with this service name; without one who sent them.
    pub(crate) fn of_service(&self, service: &str, peer: Option<IpAddr>) -> Arc<str> {
        if service.is_empty() { self.of_peer(peer) } else { self.label(service) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_beyond_the_limit_share_a_label() {
        let senders = Senders::default();
        for number in 0..SENDERS_MAX {
            assert_eq!(&*senders.label(&number.to_string()), number.to_string());
        }
        assert_eq!(&*senders.label("late"), OTHER);
        assert_eq!(&*senders.label("7"), "7");
        assert!(senders.label(&"é".repeat(1_000)).len() <= SENDER_BYTES_MAX);
    }
}
