//! The other side of a call, lifted from attributes while they are read: the rule of
//! [`lift_remote`](crate::otlp::lift_remote) on codes instead of on owned attributes.

use std::net::IpAddr;

use super::chunk::{EndpointCodes, ValueType};
use super::texts::Texts;
use crate::Kind;

/// Keys that say something about the other side or about failure, in the order of the rule.
const KEYS: [&str; ROLES] = [
    "peer.service",
    // The called side, best first.
    "server.address",
    "net.peer.name",
    "network.peer.address",
    "net.sock.peer.name",
    "net.sock.peer.addr",
    "peer.hostname",
    "peer.address",
    "net.peer.ip",
    // The calling side; `network.peer.address` and `net.sock.peer.addr` follow.
    "client.address",
    // Ports.
    "server.port",
    "net.peer.port",
    "network.peer.port",
    "net.sock.peer.port",
    // Brokers and databases.
    "messaging.system",
    "db.namespace",
    "db.name",
    "db.system.name",
    "db.system",
    "error",
];
const ROLES: usize = 20;
const PEER_SERVICE: usize = 0;
const CLIENT_SIDE: [usize; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const SERVER_SIDE: [usize; 3] = [9, 3, 5];
const PORTS: [usize; 4] = [10, 11, 12, 13];
const MESSAGING_SYSTEM: usize = 14;
const SYSTEMS: [usize; 5] = [14, 15, 16, 17, 18];
const ERROR: usize = 19;

/// A key of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Role(u8);

impl Role {
    pub(super) fn of(key: &str) -> Option<Self> {
        KEYS.iter().position(|known| *known == key).map(|index| Self(index as u8))
    }
}

/// The values of one row under the keys of the rule.
#[derive(Debug, Clone, Default)]
pub(super) struct Remote {
    values: [Option<(ValueType, u32)>; ROLES],
    any: bool,
}

impl Remote {
    pub(super) fn note(&mut self, role: Role, kind: ValueType, value: u32) {
        if let Some(slot) = self.values.get_mut(role.0 as usize) {
            *slot = Some((kind, value));
            self.any = true;
        }
    }

    pub(super) fn clear(&mut self) {
        if self.any {
            *self = Self::default();
        }
    }

    /// Whether there is an attribute `error`, whatever its value.
    pub(super) fn has_error(&self) -> bool {
        self.values[ERROR].is_some()
    }

    /// Code of a text that is not empty.
    fn text(&self, role: usize) -> Option<u32> {
        match self.values.get(role)? {
            Some((ValueType::Text, code)) if *code != 0 => Some(*code),
            _ => None,
        }
    }

    fn port(&self, role: usize, texts: &Texts) -> Option<u16> {
        match self.values.get(role)? {
            Some((ValueType::Int | ValueType::Text, code)) => {
                texts.get(*code).parse().ok().filter(|port| *port > 0)
            }
            _ => None,
        }
    }

    pub(super) fn lift(&self, kind: Kind, texts: &Texts) -> EndpointCodes {
        let mut remote = EndpointCodes::default();
        let sides: &[usize] = match kind {
            Kind::Client | Kind::Producer => &CLIENT_SIDE,
            Kind::Server | Kind::Consumer => &SERVER_SIDE,
            Kind::Internal | Kind::Unset => return remote,
        };
        if !self.any {
            return remote;
        }
        let calls = matches!(kind, Kind::Client | Kind::Producer);
        let peer = self.text(PEER_SERVICE);
        remote.service = peer.unwrap_or(0);
        for address in sides.iter().filter_map(|role| self.text(*role)) {
            match texts.get(address).parse::<IpAddr>() {
                Ok(IpAddr::V4(ip)) => remote.ipv4 = remote.ipv4.or(Some(ip)),
                Ok(IpAddr::V6(ip)) => remote.ipv6 = remote.ipv6.or(Some(ip)),
                Err(_) if calls && remote.service == 0 => remote.service = address,
                Err(_) => {}
            }
        }
        if kind != Kind::Server {
            if let (None, Some(broker)) = (peer, self.text(MESSAGING_SYSTEM)) {
                remote.service = broker;
            }
            if remote.service == 0 {
                remote.service = SYSTEMS.iter().find_map(|role| self.text(*role)).unwrap_or(0);
            }
            remote.port = PORTS.iter().find_map(|role| self.port(*role, texts)).unwrap_or(0);
        }
        remote
    }
}
