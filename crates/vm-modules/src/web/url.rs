//! `URL` and `URLSearchParams`, by the WHATWG's rules.

use serde::Serialize;
use url::{Url, form_urlencoded, quirks};

/// A URL as JavaScript sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[allow(missing_docs)] // the names are the standard's
pub struct Parts {
    pub href: String,
    pub origin: String,
    pub protocol: String,
    pub username: String,
    pub password: String,
    pub host: String,
    pub hostname: String,
    pub port: String,
    pub pathname: String,
    pub search: String,
    pub hash: String,
}

/// The parts of a URL, which may be relative to a base; `None` where it is none.
#[must_use]
pub fn parse(url: &str, base: Option<&str>) -> Option<Parts> {
    let base = base.map(Url::parse).transpose().ok()?;
    Url::options().base_url(base.as_ref()).parse(url).ok().map(|url| parts(&url))
}

/// The parts after one of them was changed; a value that it cannot have changes nothing, as the standard wants it.
#[must_use]
pub fn set(href: &str, part: &str, value: &str) -> Option<Parts> {
    let mut url = Url::parse(href).ok()?;
    // what cannot be set stays
    let _ = match part {
        "protocol" => quirks::set_protocol(&mut url, value),
        "username" => quirks::set_username(&mut url, value),
        "password" => quirks::set_password(&mut url, value),
        "host" => quirks::set_host(&mut url, value),
        "hostname" => quirks::set_hostname(&mut url, value),
        "port" => quirks::set_port(&mut url, value),
        "pathname" => {
            quirks::set_pathname(&mut url, value);
            Ok(())
        }
        "search" => {
            quirks::set_search(&mut url, value);
            Ok(())
        }
        "hash" => {
            quirks::set_hash(&mut url, value);
            Ok(())
        }
        _ => Err(()),
    };
    Some(parts(&url))
}

fn parts(url: &Url) -> Parts {
    Parts {
        href: quirks::href(url).into(),
        origin: quirks::origin(url),
        protocol: quirks::protocol(url).into(),
        username: quirks::username(url).into(),
        password: quirks::password(url).into(),
        host: quirks::host(url).into(),
        hostname: quirks::hostname(url).into(),
        port: quirks::port(url).into(),
        pathname: quirks::pathname(url).into(),
        search: quirks::search(url).into(),
        hash: quirks::hash(url).into(),
    }
}

/// The names and values of a query, without its `?`.
#[must_use]
pub fn parse_query(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The query of these names and values.
#[must_use]
pub fn write_query(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_the_parts_of_the_standard() {
        let parts = parse("../b?x=1#y", Some("https://u:p@Example.com:8080/a/c/d")).unwrap();
        assert_eq!(parts.href, "https://u:p@example.com:8080/a/b?x=1#y");
        assert_eq!((parts.host.as_str(), parts.port.as_str()), ("example.com:8080", "8080"));
        assert_eq!((parts.search.as_str(), parts.hash.as_str()), ("?x=1", "#y"));
        assert_eq!(parts.origin, "https://example.com:8080");
        for bad in ["", "/a", "http://", "http://a b"] {
            assert_eq!(parse(bad, None), None, "{bad}");
        }
    }

    #[test]
    fn what_looks_like_a_drive_letter_within_a_path_is_a_name() {
        assert_eq!(parse("../b", Some("file:/x/h:1/a")).unwrap().href, "file:///x/b");
        assert!(parse("../b?x#y", Some("file:/!/./1/h:1/a")).is_some());
    }

    #[test]
    fn a_value_that_a_part_cannot_have_changes_nothing() {
        let href = "http://example.com/a";
        assert_eq!(set(href, "port", "8080").unwrap().href, "http://example.com:8080/a");
        assert_eq!(set(href, "port", "x").unwrap().href, href);
        assert_eq!(set(href, "search", "a=ä").unwrap().href, "http://example.com/a?a=%C3%A4");
        assert_eq!(set(href, "origin", "http://evil.example").unwrap().href, href);
    }

    #[test]
    fn queries_go_there_and_back() {
        let pairs = vec![("a b".to_string(), "1&2".to_string()), ("ü".into(), String::new())];
        assert_eq!(write_query(&pairs), "a+b=1%262&%C3%BC=");
        assert_eq!(parse_query(&write_query(&pairs)), pairs);
    }
}
