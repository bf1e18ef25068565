//! What is lifted out of OTLP attributes so that one index serves every dialect: service, instance, version and the
//! other side of a call. The attributes stay where they were; OTLP writers ignore what was lifted.

use std::net::IpAddr;
use std::sync::Arc;

use crate::{Attributes, Endpoint, Kind, Resource, Span, Value};

/// Where the other side's name or address stands, best first (OpenTelemetry's "Transformation to Zipkin", remote
/// endpoint, with the older names that instrumentation still sends).
const CLIENT_SIDE: [&str; 8] = [
    "server.address",
    "net.peer.name",
    "network.peer.address",
    "net.sock.peer.name",
    "net.sock.peer.addr",
    "peer.hostname",
    "peer.address",
    "net.peer.ip",
];
const SERVER_SIDE: [&str; 3] = ["client.address", "network.peer.address", "net.sock.peer.addr"];
const PORTS: [&str; 4] = ["server.port", "net.peer.port", "network.peer.port", "net.sock.peer.port"];
/// What names a database or broker that has no address.
const SYSTEMS: [&str; 5] = ["messaging.system", "db.namespace", "db.name", "db.system.name", "db.system"];

fn text<'a>(attributes: &'a Attributes, key: &str) -> Option<&'a Arc<str>> {
    attributes.iter().find(|(k, _)| &**k == key).and_then(|(_, value)| match value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    })
}

/// Fills `local`, `instance` and `version` of `span` from its resource.
pub(super) fn lift_resource(resource: &Resource, span: &mut Span) {
    span.local.service_name = text(&resource.attributes, "service.name").cloned();
    span.instance = text(&resource.attributes, "service.instance.id").cloned();
    span.version = text(&resource.attributes, "service.version").cloned();
}

/// The other side of an OTLP span: `peer.service`, else an address attribute, else the database or broker.
pub fn lift_remote(kind: Kind, attributes: &Attributes) -> Endpoint {
    let mut remote = Endpoint::default();
    let sides: &[&str] = match kind {
        Kind::Client | Kind::Producer => &CLIENT_SIDE,
        Kind::Server | Kind::Consumer => &SERVER_SIDE,
        Kind::Internal | Kind::Unset => return remote,
    };
    remote.service_name = text(attributes, "peer.service").cloned();
    for address in sides.iter().filter_map(|key| text(attributes, key)) {
        match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => remote.ipv4 = remote.ipv4.or(Some(ip)),
            Ok(IpAddr::V6(ip)) => remote.ipv6 = remote.ipv6.or(Some(ip)),
            Err(_) if matches!(kind, Kind::Client | Kind::Producer) && remote.service_name.is_none() => {
                remote.service_name = Some(address.clone());
            }
            Err(_) => {}
        }
    }
    if kind != Kind::Server {
        // A message's other side is its broker by name: one name for producers and consumers, whatever the address.
        let broker = text(attributes, "messaging.system");
        if text(attributes, "peer.service").is_none() && broker.is_some() {
            remote.service_name = broker.cloned();
        }
        if remote.service_name.is_none() {
            remote.service_name = SYSTEMS.iter().find_map(|key| text(attributes, key)).cloned();
        }
        remote.port = PORTS.iter().find_map(|key| port(attributes, key));
    }
    remote
}

fn port(attributes: &Attributes, key: &str) -> Option<u16> {
    match attributes.iter().find(|(k, _)| &**k == key).map(|(_, value)| value)? {
        Value::Int(number) => u16::try_from(*number).ok().filter(|port| *port > 0),
        Value::String(text) => text.parse().ok().filter(|port| *port > 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(k, v)| ((*k).into(), Value::String((*v).into()))).collect()
    }

    #[test]
    fn peer_service_beats_the_address_and_the_broker_is_named_alike_on_both_sides() {
        let client = lift_remote(
            Kind::Client,
            &attributes(&[
                ("server.address", "shop.local"),
                ("peer.service", "Products"),
                ("server.port", "80"),
            ]),
        );
        assert_eq!(client.service_name.as_deref(), Some("Products"));
        assert_eq!(client.port, Some(80));
        let send = lift_remote(
            Kind::Producer,
            &attributes(&[("messaging.system", "kafka"), ("server.address", "broker-1")]),
        );
        let process = lift_remote(Kind::Consumer, &attributes(&[("messaging.system", "kafka")]));
        assert_eq!(send.service_name, process.service_name);
        let internal = lift_remote(Kind::Internal, &attributes(&[("peer.service", "x")]));
        assert!(internal.is_empty());
        let server = lift_remote(Kind::Server, &attributes(&[("client.address", "10.0.0.9")]));
        assert_eq!(server.ipv4, "10.0.0.9".parse().ok());
        assert_eq!(server.service_name, None);
    }
}
