//! How hosts of the network are named in a capability.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest name and the longest label that DNS knows, in bytes.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Whether this is a host, in lower case: `api.example.com`, `*.example.com` for every name below it, `127.0.0.1`,
/// `[::1]`, each with an optional port behind a colon.
pub(crate) fn is_pattern(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok() && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    port.is_none_or(is_port) && host.strip_prefix("*.").map_or_else(|| is_address(host) || is_name(host), is_name)
}

fn is_address(host: &str) -> bool {
    host.parse::<Ipv4Addr>().is_ok()
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.chars().all(is_plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // What ends in a number is an address, or a mistake in one.
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= MAX_NAME && name.split('.').all(is_label) && !last.chars().all(|c| c.is_ascii_digit())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_ports_are_hosts() {
        for text in [
            "localhost",
            "api.example.com",
            "*.example.com",
            "*.example.com:443",
            "xn--bcher-kva.example",
            "_dmarc.example.com",
            "3com.com",
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]",
            "[fe80::1]:65535",
        ] {
            assert!(is_pattern(text), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        let long_name = ["a".repeat(63).as_str(); 4].join(".") + ".com";
        for text in [
            "",
            "*",
            "*.",
            ".",
            "a.",
            ".a",
            "a..b",
            "a.*.b",
            "**.a",
            "-a",
            "a-",
            "a b",
            "é.com",
            "A.com",
            "http://a",
            "a/b",
            "user@a",
            "a:",
            "a:0",
            "a:65536",
            "a:+80",
            "a:80:80",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "*.127.0.0.1",
            "::1",
            "[::1",
            "[::1]80",
            "[::1]:",
            "[1.2.3.4]",
            "*.[::1]",
            &"a".repeat(64),
            &long_name,
        ] {
            assert!(!is_pattern(text), "{text:?}");
        }
    }
}
