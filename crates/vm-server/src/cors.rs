//! CORS: how a browser learns that the page of an allowed origin may call, and read the answers.

use std::str::FromStr;

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, VARY,
        },
    },
    response::{IntoResponse, Response},
};
use url::Url;

/// Where a web page is from, as browsers say it: `http://localhost:5173`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin(HeaderValue);

impl Origin {
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "write an origin like http://localhost:5173, without a path";
        if text.contains('*') {
            return Err("an origin that stands for many would let their pages run commands; name each one".into());
        }
        let url = Url::parse(text).map_err(|error| format!("{error}; {EXAMPLE}"))?;
        let origin = url.origin().ascii_serialization();
        if url.as_str().strip_suffix('/') != Some(&origin) {
            return Err(EXAMPLE.into());
        }
        HeaderValue::try_from(origin).map(Self).map_err(|error| error.to_string())
    }
}

/// Whether this is not a call, but a browser's question whether a page may make one.
pub(crate) fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to that question; [`allow`] completes it.
pub(crate) fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, DELETE"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "content-type, authorization, x-request-id"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Lets pages of this origin read the answer.
pub(crate) fn allow(origin: &Origin, headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.header().clone());
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-request-id"));
    headers.insert(VARY, HeaderValue::from_static("origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_as_browsers_write_it() {
        for (text, origin) in [
            ("http://localhost:5173", "http://localhost:5173"),
            ("HTTPS://UI.Example", "https://ui.example"),
            ("https://ui.example:443", "https://ui.example"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://ui.example:443", "http://ui.example:443"),
            ("http://h/", "http://h"),
            ("http://bücher.example", "http://xn--bcher-kva.example"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().header(), origin);
        }
    }

    #[test]
    fn what_no_browser_sends_is_no_origin() {
        for text in [
            "",
            "*",
            "null",
            "localhost",
            "localhost:5173",
            "http://",
            "http://h//",
            "http://h/path",
            "http://h?q",
            "http://h#f",
            "http://a@h",
            "http://*.example.com",
            "http://h:x",
            "http://h:99999",
            "http://a b",
            "file:///x",
            "data:,x",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text:?}");
        }
    }
}
