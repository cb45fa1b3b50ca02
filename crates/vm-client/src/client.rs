//! [`Client`]: where the daemon is, and the one way in which every call is made and its answer read.

use std::{net::IpAddr, time::Duration};

use reqwest::{
    Method, RequestBuilder, Response, Url,
    header::{self, HeaderMap, HeaderValue},
    redirect,
};
use serde::{Serialize, de::DeserializeOwned};
use vm_model::{ErrorEnvelope, Token};

use crate::{ClientError, error::root_cause};

/// A daemon that is there accepts at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Less than the daemon keeps an idle connection: no call goes out on one that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// For reading, which no script can delay. A call that runs code has no bound here: its template's limits bound it.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A daemon, as its clients see it. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
}

impl Client {
    /// A client of the daemon at this URL, such as `http://127.0.0.1:3210`, with the token that the daemon may demand.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError::BadUrl`] if this is not the `http` or `https` address of a server.
    pub fn new(server_url: &str, token: Option<&Token>) -> Result<Self, ClientError> {
        let server = parse(server_url).map_err(|reason| ClientError::BadUrl { url: server_url.into(), reason })?;
        // The API never redirects: an answer that does comes from something else, and is not to be followed.
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(redirect::Policy::none());
        if is_loopback(&server) {
            http = http.no_proxy();
        }
        if server.scheme() == "http" {
            // A machine without certificates needs none for this.
            http = http.tls_certs_only([]);
        }
        if let Some(authorization) = token.and_then(bearer) {
            http = http.default_headers(HeaderMap::from_iter([(header::AUTHORIZATION, authorization)]));
        }
        let http = http
            .build()
            .map_err(|error| ClientError::Transport { server: server_url.into(), reason: root_cause(&error) })?;
        Ok(Self { http, server })
    }

    /// Reads; `query` leaves out what is `None`.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, Option<String>)],
    ) -> Result<T, ClientError> {
        self.call(self.http.get(self.url(path)?).query(query).timeout(READ_TIMEOUT)).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.call(self.http.post(self.url(path)?).json(body)).await
    }

    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.call(self.http.patch(self.url(path)?).json(body)).await
    }

    /// For what has no body: `POST …/close` and every `DELETE`.
    pub(crate) async fn send<T: DeserializeOwned>(&self, method: Method, path: &[&str]) -> Result<T, ClientError> {
        self.call(self.http.request(method, self.url(path)?)).await
    }

    /// The server as its user would write it.
    fn address(&self) -> String {
        self.server.as_str().trim_end_matches('/').into()
    }

    /// Each part becomes one segment of the path, whatever is in it.
    fn url(&self, path: &[&str]) -> Result<Url, ClientError> {
        // These three are no segments to any URL parser, however they are written.
        if let Some(part) = path.iter().find(|part| matches!(**part, "" | "." | "..")) {
            return Err(ClientError::BadId((*part).into()));
        }
        let mut url = self.server.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        Ok(url)
    }

    async fn call<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let network = |error: reqwest::Error| ClientError::from_network(&error, self.address());
        let response = request.send().await.map_err(network)?;
        let (url, status) = (response.url().clone(), response.status());
        let content_type = header_text(&response, header::CONTENT_TYPE.as_str());
        // Every answer of ours has both, the errors too.
        if !content_type.starts_with("application/json") || header_text(&response, "x-request-id").is_empty() {
            return Err(ClientError::NotVmSystem { server: self.address(), status: status.as_u16(), content_type });
        }
        let body = response.bytes().await.map_err(network)?;
        let undecodable = |source| ClientError::Undecodable { url, source };
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(undecodable);
        }
        let ErrorEnvelope { error } = serde_json::from_slice(&body).map_err(undecodable)?;
        Err(ClientError::Api {
            status: status.as_u16(),
            code: error.code,
            message: error.message,
            details: Box::new(error.details),
        })
    }
}

/// The URL, or what is wrong with it.
fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("its scheme is {:?}, not http or https", url.scheme()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has more than an address and a path".into());
    }
    Ok(url)
}

/// There is one for every token: headers can carry all visible ASCII.
fn bearer(token: &Token) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What runs on this machine is never behind a proxy.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn header_text(response: &Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_of_the_path_whatever_is_in_it() {
        let client = Client::new("http://127.0.0.1:3210", None).unwrap();
        for (id, path) in [("a/b", "a%2Fb"), ("a b?c#d", "a%20b%3Fc%23d"), ("%2e%2e", "%252e%252e"), ("é", "%C3%A9")] {
            let url = client.url(&["sessions", id, "close"]).unwrap();
            assert_eq!(url.as_str(), format!("http://127.0.0.1:3210/api/v1/sessions/{path}/close"));
        }
        for id in ["", ".", ".."] {
            assert!(matches!(client.url(&["sessions", id]), Err(ClientError::BadId(_))), "{id:?}");
        }
    }

    #[test]
    fn a_path_of_the_server_url_is_kept() {
        for server in ["http://example.com/vm", "http://example.com/vm/"] {
            let url = Client::new(server, None).unwrap().url(&["health"]).unwrap();
            assert_eq!(url.as_str(), "http://example.com/vm/api/v1/health");
        }
    }

    #[test]
    fn what_is_no_server_url_is_refused_with_an_example_of_one() {
        for url in
            ["", "127.0.0.1:3210", "localhost:3210", "ftp://127.0.0.1", "http://", "http://h:99999", "http://h/?q"]
        {
            let error = Client::new(url, None).unwrap_err();
            assert!(matches!(error, ClientError::BadUrl { .. }), "{error}");
            assert!(error.to_string().contains("http://127.0.0.1:3210"), "{error}");
        }
    }

    #[test]
    fn a_client_does_not_show_its_token() {
        let client = Client::new("http://127.0.0.1:3210", Some(&"hush".parse().unwrap())).unwrap();
        assert!(!format!("{client:?} {client:#?}").contains("hush"));
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (url, expected) in [
            ("http://127.0.0.1:1", true),
            ("http://127.8.8.8", true),
            ("http://[::1]:1", true),
            ("http://localhost", true),
            ("http://LOCALHOST", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
