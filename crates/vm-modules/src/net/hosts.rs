//! Which hosts and addresses may be reached.
//!
//! A name that is allowed may still mean any address, and who answers for it may change what it means. So an address that
//! is not public has to be named itself, or as `localhost`, whatever name leads to it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use url::Host;

const LOCALHOST: &str = "localhost";

/// The hosts that a session's capabilities name, as capabilities have them.
#[derive(Clone, Debug)]
pub(super) struct Hosts(pub Arc<[String]>);

impl Hosts {
    /// Whether the URL's host may be asked; the reason if not.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{}: only http and https can be fetched", url.scheme()));
        }
        let Some(host) = url.host_str() else { return Err("the URL has no host".into()) };
        let is_allowed = match url.host() {
            Some(Host::Ipv4(ip)) => self.names_address(ip.into(), url.port_or_known_default()),
            Some(Host::Ipv6(ip)) => self.names_address(ip.into(), url.port_or_known_default()),
            _ => self.entries().any(|(pattern, port)| {
                matches_name(pattern, host) && port.is_none_or(|port| Some(port) == url.port_or_known_default())
            }),
        };
        if is_allowed {
            return Ok(());
        }
        Err(format!("the host {host} is not among those that this session may reach: {}", self.0.join(", ")))
    }

    /// Whether this address may be connected to, by whatever name it was found.
    fn allows_address(&self, ip: IpAddr) -> bool {
        is_public(ip)
            || (ip.is_loopback() && self.entries().any(|(pattern, _)| pattern == LOCALHOST))
            || self.names_address(ip, None)
    }

    fn names_address(&self, ip: IpAddr, wanted: Option<u16>) -> bool {
        self.entries().any(|(pattern, port)| {
            pattern.trim_matches(['[', ']']).parse() == Ok(ip) && (port.is_none() || wanted.is_none() || port == wanted)
        })
    }

    /// Each entry's host and port.
    fn entries(&self) -> impl Iterator<Item = (&str, Option<u16>)> {
        self.0.iter().map(|entry| {
            let port = entry.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
            match port.and_then(|(host, port)| Some((host, port.parse().ok()?))) {
                Some((host, port)) => (host, Some(port)),
                None => (entry.as_str(), None),
            }
        })
    }
}

/// `*.example.com` is every name below example.com, and not that itself.
fn matches_name(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(below) => host.len() > below.len() && host.ends_with(below),
        None => pattern == host,
    }
}

/// An address that anybody on the internet means the same by.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => {
            ip.to_ipv4_mapped().or_else(|| embedded_v4(ip)).map_or_else(|| is_public_v6(ip), is_public_v4)
        }
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18);
    !is_special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    // the only range that is given out: 2000::/3
    ip.segments()[0] & 0xe000 == 0x2000 && ip.segments()[..2] != [0x2001, 0xdb8]
}

/// What the gateways of NAT64 and 6to4 would connect to.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = ip.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments[..2] {
        [0x64, 0xff9b] => Some(join(segments[6], segments[7])),
        [0x2002, _] => Some(join(segments[1], segments[2])),
        _ => None,
    }
}

impl Resolve for Hosts {
    fn resolve(&self, name: Name) -> Resolving {
        let hosts = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<_> = found.iter().copied().filter(|address| hosts.allows_address(address.ip())).collect();
            if allowed.is_empty() && !found.is_empty() {
                let message = format!(
                    "{} is {}, which is not public; name the address itself in the capability",
                    name.as_str(),
                    found[0].ip()
                );
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, message).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &[&str], url: &str) -> bool {
        let hosts = Hosts(hosts.iter().map(ToString::to_string).collect());
        hosts.check(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn a_host_is_reached_only_where_it_is_named() {
        for (host, url, expected) in [
            ("api.example.com", "https://api.example.com/x", true),
            ("api.example.com", "http://api.example.com:81/", true),
            ("api.example.com", "https://example.com/", false),
            ("api.example.com", "https://xapi.example.com/", false),
            ("api.example.com", "https://api.example.com.evil.test/", false),
            ("api.example.com", "https://api.example.com@evil.test/", false),
            ("api.example.com:443", "https://api.example.com/", true),
            ("api.example.com:443", "http://api.example.com/", false),
            ("*.example.com", "https://a.b.example.com/", true),
            ("*.example.com", "https://example.com/", false),
            ("*.example.com", "https://badexample.com/", false),
            ("127.0.0.1:8080", "http://127.0.0.1:8080/", true),
            ("127.0.0.1:8080", "http://127.1:8080/", true),
            ("127.0.0.1:8080", "http://127.0.0.1/", false),
            ("[::1]:8080", "http://[::1]:8080/", true),
            ("[::1]", "http://[::1]:9/", true),
            ("localhost", "http://127.0.0.1/", false),
            ("example.com", "ftp://example.com/", false),
            ("example.com", "file:///etc/passwd", false),
        ] {
            assert_eq!(check(&[host], url), expected, "{host} {url}");
        }
    }

    #[test]
    fn an_address_that_is_not_public_has_to_be_named() {
        let hosts = Hosts(["10.0.0.5".into(), "localhost".into(), "*.example.com".into()].into());
        for (ip, expected) in [
            ("93.184.215.14", true),
            ("10.0.0.5", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("10.0.0.6", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("::ffff:192.168.1.1", false),
            ("64:ff9b::a00:6", false),
            ("2002:a00:6::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("2606:4700::1111", true),
        ] {
            assert_eq!(hosts.allows_address(ip.parse().unwrap()), expected, "{ip}");
        }
    }
}
