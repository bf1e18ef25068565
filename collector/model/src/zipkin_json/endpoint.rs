//! Endpoints as they stand in JSON. Senders put either address family into either field; what is not an address is
//! left out, as Zipkin does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;

use super::text::{Text, Whole};
use crate::Endpoint;
use crate::intern::{Interner, cut};

#[derive(Deserialize)]
pub(super) struct JsonEndpoint<'a> {
    #[serde(rename = "serviceName", borrow, default)]
    service_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    ipv4: Option<Text<'a>>,
    #[serde(borrow, default)]
    ipv6: Option<Text<'a>>,
    #[serde(default)]
    port: Option<Whole>,
}

impl JsonEndpoint<'_> {
    pub(super) fn into_row(self, interner: &mut Interner, name_bytes_max: usize) -> Result<Endpoint, String> {
        let mut endpoint = Endpoint::default();
        if let Some(name) = self.service_name.filter(|name| !name.0.is_empty()) {
            endpoint.service_name = Some(interner.share(cut(&name.0, name_bytes_max)));
        }
        for address in [self.ipv4, self.ipv6].into_iter().flatten() {
            place(&mut endpoint, &address.0);
        }
        match self.port.map_or(0, |port| port.0) {
            0 => {}
            port => {
                endpoint.port = Some(u16::try_from(port).map_err(|_| format!("invalid port {port}"))?);
            }
        }
        Ok(endpoint)
    }
}

fn place(endpoint: &mut Endpoint, address: &str) {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => endpoint.ipv4 = Some(v4),
        Ok(IpAddr::V6(v6)) => match embedded_v4(v6) {
            Some(v4) => endpoint.ipv4 = Some(v4),
            None => endpoint.ipv6 = Some(v6),
        },
        Err(_) => {}
    }
}

/// The IPv4 address inside an IPv4-mapped or IPv4-compatible address; `::1` and `::` are none.
fn embedded_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    if let Some(mapped) = v6.to_ipv4_mapped() {
        return Some(mapped);
    }
    let compatible = v6.segments()[..6] == [0; 6] && v6.segments()[6] != 0;
    compatible.then(|| v6.to_ipv4()).flatten()
}
