//! One request, from what the script gave to what it gets.

use reqwest::{Client, Method, Url, header::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::hosts::Hosts;

/// What the script asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    url: String,
    method: String,
    headers: Vec<(String, String)>,
    body: Option<ByteBuf>,
    pub redirect: Redirect,
}

/// What a redirection does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Redirect {
    Follow,
    Error,
    Manual,
}

/// What the script gets.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    status: u16,
    status_text: &'static str,
    url: String,
    redirected: bool,
    headers: Vec<(String, String)>,
    body: ByteBuf,
}

/// Why there is no response: what the script's promise is rejected with.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub code: &'static str,
    pub message: String,
}

impl Failure {
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self { code: "ERR_ACCESS_DENIED", message: message.into() }
    }

    fn network(url: &str, error: &reqwest::Error) -> Self {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let code = if error.is_redirect() { "ERR_REDIRECT" } else { "ERR_NETWORK" };
        Self { code, message: format!("fetch of {url} failed: {cause}") }
    }
}

impl Request {
    /// The request to send, if it may be sent.
    pub(super) fn build(self, client: &Client, hosts: &Hosts) -> Result<reqwest::Request, Failure> {
        let invalid = |what: String| Failure { code: "ERR_INVALID_ARG_VALUE", message: what };
        let url = Url::parse(&self.url).map_err(|error| invalid(format!("{:?} is no URL: {error}", self.url)))?;
        hosts.check(&url).map_err(Failure::refused)?;
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| invalid(format!("{:?} is no method of HTTP", self.method)))?;
        let mut request = client.request(method, url);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.body(body.into_vec());
        }
        request.build().map_err(|error| invalid(format!("the request is not acceptable: {error}")))
    }
}

/// Sends it, and reads the answer whole.
pub(super) async fn send(client: &Client, request: reqwest::Request, max_bytes: u64) -> Result<Response, Failure> {
    let asked = request.url().clone();
    let failure = |error: reqwest::Error| Failure::network(asked.as_str(), &error);
    let mut response = client.execute(request).await.map_err(failure)?;
    let (status, url) = (response.status(), response.url().clone());
    let headers = texts(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if (body.len() + chunk.len()) as u64 > max_bytes {
            let message = format!("the response of {url} has more than {max_bytes} bytes");
            return Err(Failure { code: "ERR_RESPONSE_TOO_LARGE", message });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response {
        status: status.as_u16(),
        status_text: status.canonical_reason().unwrap_or_default(),
        redirected: url != asked,
        url: url.into(),
        headers,
        body: ByteBuf::from(body),
    })
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}
