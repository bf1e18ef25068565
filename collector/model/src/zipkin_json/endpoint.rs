//! Endpoints as they stand in JSON. Senders put either address family into either field; what is not an address is
//! left out, as Zipkin does.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;

use super::text::{Text, Whole};
use crate::Endpoint;
use crate::columnar::{Builder, EndpointCodes};
use crate::intern::cut;

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
    /// The number of the endpoint in a chunk.
    pub(super) fn add_to(self, build: &mut Builder<'_>) -> Result<u32, String> {
        let mut endpoint = Endpoint::default();
        for address in [self.ipv4, self.ipv6].into_iter().flatten() {
            place(&mut endpoint, &address.0);
        }
        let port = self.port.map_or(0, |port| port.0);
        let port = u16::try_from(port).map_err(|_| format!("invalid port {port}"))?;
        let name = self.service_name.map_or(Cow::Borrowed(""), |name| name.0);
        // A service's name that is cut is not marked: it names the same service as every other cut one.
        let service = build.whole_text(cut(&name, build.limits().value_bytes_max));
        Ok(build.endpoint(EndpointCodes { service, ipv4: endpoint.ipv4, ipv6: endpoint.ipv6, port }))
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
