//! Who may call. The daemon runs commands for whoever reaches it, so a web page must not reach it, not even one that has
//! its own name point to this machine; and beyond this machine nobody reaches it without a token.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;
use vm_model::{ErrorCode, Token};

use crate::{
    cors::{self, Origin},
    errors::ApiError,
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The rules of one daemon.
pub struct Access {
    /// The host of the listen address, as it was given.
    host: String,
    /// Whether other machines can connect.
    exposed: bool,
    token: Option<Token>,
    origins: Vec<Origin>,
}

/// Rules that nobody can want.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Everybody in the network could run commands.
    #[error(
        "refusing to listen on {listen} without a token: whoever reaches it can run commands on this machine; \
         set one with VM_SYSTEM_TOKEN or --token, or listen on 127.0.0.1"
    )]
    Exposed {
        /// As it was given.
        listen: String,
    },
}

impl Access {
    /// The rules of a daemon that listens on `listen` (`HOST:PORT`), which means these `addresses`. Callers need the
    /// token, if there is one; of web pages, only those of these `origins` may call.
    ///
    /// # Errors
    /// Listening beyond loopback needs a token.
    pub fn new(
        listen: &str,
        addresses: &[SocketAddr],
        token: Option<Token>,
        origins: Vec<Origin>,
    ) -> Result<Self, AccessError> {
        let exposed = !addresses.iter().all(|address| is_loopback(address.ip()));
        if exposed && token.is_none() {
            return Err(AccessError::Exposed { listen: listen.into() });
        }
        Ok(Self { host: without_port(listen).into(), exposed, token, origins })
    }

    fn check_host(&self, host: &str) -> Result<(), ApiError> {
        if self.is_own_host(without_port(host)) {
            return Ok(());
        }
        Err(forbidden("the Host of the request is not this daemon's; call it by the address that it listens on"))
    }

    /// A page that has its name point to this machine sends that name: only addresses cannot be made to lie. The port
    /// is of no interest, since tunnels and containers change it.
    fn is_own_host(&self, name: &str) -> bool {
        if name.eq_ignore_ascii_case(&self.host) {
            return true;
        }
        match name.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) => self.exposed || is_loopback(ip),
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        }
    }

    /// A page of the daemon's own has the origin `http://HOST`; programs that are no browsers have none.
    fn check_page(&self, headers: &HeaderMap, host: &str) -> Result<(), ApiError> {
        let is_own = |origin: &HeaderValue| {
            let own = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
            own.is_some_and(|own| own.eq_ignore_ascii_case(host))
        };
        let mut given = headers.get_all(ORIGIN).iter();
        let is_welcome = match (given.next(), given.next()) {
            // Browsers name no origin when a page merely loads or opens something.
            (None, _) => headers.get(SEC_FETCH_SITE).is_none_or(|site| site == "same-origin" || site == "none"),
            (Some(origin), None) => is_own(origin) || self.allowed(origin).is_some(),
            (Some(_), Some(_)) => false,
        };
        if is_welcome {
            return Ok(());
        }
        Err(forbidden("this web page may not call the daemon; a page of your own is admitted by serve --allow-origin"))
    }

    fn allowed(&self, origin: &HeaderValue) -> Option<&Origin> {
        self.origins.iter().find(|allowed| allowed.header() == origin)
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let Some((scheme, given)) = one(headers, AUTHORIZATION).and_then(|value| value.split_once(' ')) else {
            return false;
        };
        scheme.eq_ignore_ascii_case("bearer") && given.as_bytes().ct_eq(token.secret().as_bytes()).into()
    }
}

/// Lets a request pass, or refuses it; pages of an allowed origin may read either answer.
pub(crate) async fn admit(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).and_then(|origin| access.allowed(origin)).cloned();
    let mut response = answer(&access, request, next).await.into_response();
    if let Some(origin) = origin {
        cors::allow(&origin, response.headers_mut());
    }
    response
}

async fn answer(access: &Access, request: Request, next: Next) -> Result<Response, ApiError> {
    let headers = request.headers();
    // An authority in the request line counts instead of the header.
    let host = request.uri().authority().map(|authority| authority.as_str()).or_else(|| one(headers, HOST));
    let host = host.ok_or_else(|| ApiError::invalid_request("a request must have exactly one Host header"))?;
    access.check_host(host)?;
    access.check_page(headers, host)?;
    // A browser asks this before it sends a token.
    if cors::is_preflight(&request) {
        return Ok(cors::preflight());
    }
    if !access.has_token(headers) {
        let message = "this daemon demands its token as Authorization: Bearer …; the command line takes it from \
                       VM_SYSTEM_TOKEN or --token";
        let refusal = ApiError::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message);
        return Ok(([(WWW_AUTHENTICATE, "Bearer")], refusal).into_response());
    }
    Ok(next.run(request).await)
}

fn forbidden(message: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, message)
}

/// The text of a header that must not come twice.
fn one(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(listen: &str, address: &str) -> Access {
        let token = Some("t".parse().unwrap());
        Access::new(listen, &[address.parse().unwrap()], token, Vec::new()).ok().unwrap()
    }

    #[test]
    fn on_loopback_only_loopback_and_the_listen_address_are_good_hosts() {
        let access = access("devbox:3210", "127.0.0.1:3210");
        for host in [
            "127.0.0.1:3210",
            "127.0.0.1",
            "127.9.8.7:1",
            "localhost:3210",
            "LocalHost",
            "[::1]:3210",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "devbox:3210",
            "DEVBOX",
        ] {
            assert!(access.check_host(host).is_ok(), "{host}");
        }
        for host in [
            "",
            ":3210",
            "evil.example",
            "evil.example:3210",
            "localhost.evil.example",
            "localhost.",
            "localhost:x",
            "a@localhost",
            "127.0.0.1.evil.example",
            "127.1",
            "2130706433",
            "0.0.0.0:3210",
            "10.0.0.1:3210",
            "[::2]",
            "::1",
        ] {
            assert!(access.check_host(host).is_err(), "{host}");
        }
    }

    #[test]
    fn beyond_loopback_every_address_is_a_good_host_and_no_name_but_the_listen_address() {
        let access = access("0.0.0.0:3210", "0.0.0.0:3210");
        for host in ["10.0.0.1:3210", "[fe80::1]:3210", "0.0.0.0", "localhost"] {
            assert!(access.check_host(host).is_ok(), "{host}");
        }
        assert!(access.check_host("evil.example:3210").is_err());
    }

    #[test]
    fn listening_beyond_loopback_needs_a_token() {
        let refused = |addresses: &[&str]| {
            let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            Access::new("x:1", &addresses, None, Vec::new()).is_err()
        };
        assert!(!refused(&["127.0.0.1:1"]) && !refused(&["127.0.0.1:1", "[::1]:1"]));
        for exposed in ["0.0.0.0:1", "[::]:1", "192.168.0.1:1"] {
            assert!(refused(&[exposed]) && refused(&["127.0.0.1:1", exposed]), "{exposed}");
        }
    }
}
