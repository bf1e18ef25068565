//! Where webhooks may go: methods, schemes, host names, and, after a name was resolved, addresses.
//!
//! A name that a stranger controls can point anywhere, so names alone decide nothing: the addresses are looked at, and
//! the one that passed is the one that is connected to. Without a list of hosts every public address may be called.
//! Private addresses have to be named: as an address, as a range, or by the exact name of a host of one's own.
//! Link-local ones, where clouds hand out credentials, only go when they are named as addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

/// What `/doc` of the Pact Broker calls the white list.
const SEE: &str = "See docs/webhooks.md";

/// One entry of the list of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostRule {
    /// `ci.example.org`.
    Name(String),
    /// `*.example.org`: every name below it, public addresses only.
    Below(String),
    /// `10.1.2.3` or `10.0.0.0/8`.
    Range(IpAddr, u8),
}

impl FromStr for HostRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        if text.starts_with('/') {
            return Err(format!(
                "`{text}`: regular expressions are not taken; name hosts, `*.domain` or address ranges"
            ));
        }
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.to_owned(), Some(bits.to_owned())),
            None => (text.trim_matches(['[', ']']).to_owned(), None),
        };
        if let Ok(ip) = address.parse::<IpAddr>() {
            let most = if ip.is_ipv4() { 32 } else { 128 };
            let bits = match bits {
                None => most,
                Some(bits) => {
                    bits.parse().ok().filter(|b| *b <= most).ok_or_else(|| format!("`{text}` is no range"))?
                }
            };
            return Ok(Self::Range(ip, bits));
        }
        let name = text.strip_prefix("*.").unwrap_or(&text);
        let fits = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-._".contains(c));
        if !fits {
            return Err(format!("`{text}` is no host, no `*.domain` and no address range"));
        }
        Ok(if text.starts_with("*.") { Self::Below(name.to_owned()) } else { Self::Name(name.to_owned()) })
    }
}

/// The rules, as `PACT_BROKER_WEBHOOK_{HTTP_METHOD,SCHEME,HOST}_WHITELIST` give them.
#[derive(Debug, Clone)]
pub struct WebhookPolicy {
    /// Methods in capitals. Default: `POST`.
    pub methods: Vec<String>,
    /// Schemes. Default: `https`.
    pub schemes: Vec<String>,
    /// Hosts; empty: all that have public addresses.
    pub hosts: Vec<HostRule>,
}

impl Default for WebhookPolicy {
    fn default() -> Self {
        Self { methods: vec!["POST".into()], schemes: vec!["https".into()], hosts: Vec::new() }
    }
}

impl WebhookPolicy {
    /// Whether a webhook of this method may exist.
    pub(crate) fn check_method(&self, method: &str) -> Result<(), String> {
        if self.methods.iter().any(|m| m.eq_ignore_ascii_case(method)) {
            return Ok(());
        }
        Err(format!("must be {}. {SEE} for more information.", self.methods.join(", ")))
    }

    /// Whether a webhook with this address may exist, as far as can be said before its name is resolved.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), String> {
        if !self.schemes.iter().any(|s| s.eq_ignore_ascii_case(url.scheme())) {
            return Err(format!("scheme must be {}. {SEE} for more information.", self.schemes.join(", ")));
        }
        let named = match url.host() {
            None => return Err("has no host".to_owned()),
            Some(Host::Domain(name)) => self.hosts.is_empty() || self.rule_of(name).is_some(),
            Some(Host::Ipv4(ip)) => self.allows(None, ip.into()),
            Some(Host::Ipv6(ip)) => self.allows(None, ip.into()),
        };
        if named {
            return Ok(());
        }
        Err(format!("host must be in the list of hosts that webhooks may call. {SEE} for more information."))
    }

    /// Whether `address`, which `name` was resolved to, may be connected to.
    pub(crate) fn allows(&self, name: Option<&str>, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if self
            .hosts
            .iter()
            .any(|rule| matches!(rule, HostRule::Range(base, bits) if within(address, *base, *bits)))
        {
            return true;
        }
        let rule = name.and_then(|name| self.rule_of(name));
        match kind(address) {
            Kind::Public => self.hosts.is_empty() || rule.is_some(),
            Kind::Private => matches!(rule, Some(HostRule::Name(_))),
            Kind::Never => false,
        }
    }

    /// Whether `name` stands in the list, so that what it answers may be shown.
    pub(crate) fn names(&self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Domain(name)) => self.rule_of(name).is_some(),
            Some(Host::Ipv4(ip)) => !self.hosts.is_empty() && self.allows(None, ip.into()),
            Some(Host::Ipv6(ip)) => !self.hosts.is_empty() && self.allows(None, ip.into()),
            None => false,
        }
    }

    fn rule_of(&self, name: &str) -> Option<&HostRule> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.hosts.iter().find(|rule| match rule {
            HostRule::Name(allowed) => *allowed == name,
            HostRule::Below(domain) => {
                name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
            HostRule::Range(..) => false,
        })
    }
}

enum Kind {
    Public,
    /// Loopback, and what networks keep to themselves.
    Private,
    /// Link-local (cloud metadata), unspecified, multicast, reserved.
    Never,
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(v4) => kind4(v4),
        IpAddr::V6(v6) => kind6(v6),
    }
}

fn kind4(address: Ipv4Addr) -> Kind {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (127 | 10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) | (198, 18 | 19, _) => {
            Kind::Private
        }
        // This network, link-local, protocol assignments, documentation, multicast and reserved.
        (0 | 224..=255, ..)
        | (169, 254, _)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 51, 100)
        | (203, 0, 113) => Kind::Never,
        _ => Kind::Public,
    }
}

fn kind6(address: Ipv6Addr) -> Kind {
    let segments = address.segments();
    if address.is_loopback() || segments[0] & 0xfe00 == 0xfc00 {
        // Clouds put their metadata service among the unique local addresses, too.
        return if segments[0] == 0xfd00 && segments[1] == 0x0ec2 { Kind::Never } else { Kind::Private };
    }
    // Addresses that carry an IPv4 address inside (6to4, NAT64, IPv4-compatible) are what that one is.
    let inner = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0x2002, high, low, ..] => kind4(inner(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1 => {
            kind4(inner(high, low))
        }
        // Only 2000::/3 is routed; documentation and Teredo are not spoken to.
        [0x2001, 0 | 0xdb8, ..] => Kind::Never,
        [first, ..] if first & 0xe000 == 0x2000 => Kind::Public,
        _ => Kind::Never,
    }
}

fn within(address: IpAddr, base: IpAddr, bits: u8) -> bool {
    match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            let shift = 32 - u32::from(bits);
            shift == 32 || u32::from(address) >> shift == u32::from(base) >> shift
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => {
            let shift = 128 - u32::from(bits);
            shift == 128 || u128::from(address) >> shift == u128::from(base) >> shift
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(hosts: &[&str]) -> WebhookPolicy {
        WebhookPolicy {
            hosts: hosts.iter().map(|h| h.parse().unwrap()).collect(),
            ..WebhookPolicy::default()
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn without_a_list_public_addresses_only() {
        let open = policy(&[]);
        for public in ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"] {
            assert!(open.allows(Some("example.org"), ip(public)), "{public}");
        }
        for other in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fe80::1",
            "fd00:ec2::254",
            "fc00::1",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!open.allows(Some("example.org"), ip(other)), "{other}");
        }
    }

    #[test]
    fn private_addresses_have_to_be_named() {
        let listed = policy(&["ci.corp", "*.public.org", "10.0.0.0/8", "169.254.1.1"]);
        assert!(listed.allows(Some("ci.corp"), ip("192.168.1.1")));
        assert!(listed.allows(Some("other.corp"), ip("10.9.9.9")), "a range holds whatever the name");
        assert!(
            !listed.allows(Some("a.public.org"), ip("192.168.1.1")),
            "a wildcard opens public addresses only"
        );
        assert!(listed.allows(Some("a.public.org"), ip("93.184.215.14")));
        assert!(!listed.allows(Some("public.org"), ip("93.184.215.14")));
        assert!(!listed.allows(Some("notpublic.org"), ip("93.184.215.14")));
        assert!(!listed.allows(Some("ci.corp"), ip("169.254.169.254")), "metadata even then not");
        assert!(listed.allows(None, ip("169.254.1.1")), "unless the address itself is named");
        assert!(!listed.allows(Some("elsewhere.org"), ip("93.184.215.14")));
    }

    #[test]
    fn addresses_are_judged_however_they_are_written() {
        let open = WebhookPolicy { schemes: vec!["http".into(), "https".into()], ..WebhookPolicy::default() };
        for url in ["http://2130706433/", "http://0x7f.1/", "http://[::ffff:7f00:1]/", "http://127.1:80/x"] {
            assert!(open.check_url(&Url::parse(url).unwrap()).is_err(), "{url}");
        }
        assert!(open.check_url(&Url::parse("https://ci.example.org/x").unwrap()).is_ok());
        assert!(
            open.check_url(&Url::parse("ftp://ci.example.org/x").unwrap()).unwrap_err().contains("scheme")
        );
        let listed = policy(&["ci.example.org"]);
        assert!(listed.check_url(&Url::parse("https://CI.example.org./x").unwrap()).is_ok());
        assert!(listed.check_url(&Url::parse("https://other.org/x").unwrap()).unwrap_err().contains("host"));
        assert!(listed.check_method("get").unwrap_err().contains("POST"));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in ["/foo.*/", "10.0.0.0/33", "", "*.", "a b", "10.0.0.0/x"] {
            assert!(text.parse::<HostRule>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_range_holds_exactly_what_shares_its_bits(address: u32, base: u32, bits in 0_u8..=32) {
            let mask = if bits == 0 { 0 } else { u32::MAX << (32 - u32::from(bits)) };
            prop_assert_eq!(
                within(Ipv4Addr::from(address).into(), Ipv4Addr::from(base).into(), bits),
                address & mask == base & mask
            );
        }
    }
}
