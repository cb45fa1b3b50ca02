//! Fetching a file from a CDN.

use std::{error::Error, str::FromStr, time::Duration};

use reqwest::{Client, StatusCode, Url};
use tokio::time::sleep;

use super::{DownloadError, Event};
use crate::libraries::{Library, MAX_BYTES};

const ATTEMPTS: u32 = 3;

/// Before the second attempt; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Between one piece of an answer and the next.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// For one attempt as a whole.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A server that has the files of npm packages under NAME@VERSION/FILE.
#[derive(Clone, Debug)]
pub struct Cdn(Url);

impl Cdn {
    /// The one that needs no other setup.
    pub const DEFAULT: &str = "https://cdn.jsdelivr.net/npm";

    /// The file of a library, whatever is in it. What may be better the next time is tried again.
    pub(super) async fn fetch(
        &self,
        library: &Library,
        observe: &impl Fn(Event<'_>),
    ) -> Result<Vec<u8>, DownloadError> {
        let url = self.url(library);
        let client = Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(STALL_TIMEOUT).timeout(TIMEOUT);
        let client = client.build().map_err(|error| unreachable(&url, root_cause(&error)))?;
        observe(Event::Started(url.as_str()));
        let mut wait = FIRST_WAIT;
        for _ in 1..ATTEMPTS {
            match attempt(&client, &url, observe).await {
                Err(error @ DownloadError::Unreachable { .. }) => observe(Event::Retrying(&error)),
                result => return result,
            }
            sleep(wait).await;
            wait *= 2;
        }
        attempt(&client, &url, observe).await
    }

    fn url(&self, library: &Library) -> Url {
        let Library { name, version, file, .. } = library;
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&format!("{name}@{version}")).extend(file.split('/'));
        }
        url
    }
}

impl FromStr for Cdn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("{error}; write it like {}", Self::DEFAULT))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("its scheme is {:?}, not http or https", url.scheme()));
        }
        Ok(Self(url))
    }
}

async fn attempt(client: &Client, url: &Url, observe: &impl Fn(Event<'_>)) -> Result<Vec<u8>, DownloadError> {
    let broken = |error: reqwest::Error| unreachable(url, root_cause(&error));
    let mut response = client.get(url.clone()).send().await.map_err(broken)?;
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(unreachable(url, format!("it answers {status}")));
    }
    if status != StatusCode::OK {
        return Err(DownloadError::Refused { url: url.clone(), status });
    }
    let of = response.content_length();
    let mut content = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(broken)? {
        content.extend_from_slice(&piece);
        let bytes = content.len() as u64;
        if bytes > MAX_BYTES {
            return Err(DownloadError::TooLarge(url.clone()));
        }
        observe(Event::Received { bytes, of });
    }
    Ok(content)
}

fn unreachable(url: &Url, reason: String) -> DownloadError {
    DownloadError::Unreachable { url: url.clone(), reason }
}

/// The innermost reason: the outer ones only say which layer passed it on.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libraries::CATALOG;

    #[test]
    fn a_file_stands_under_its_package_and_version() {
        for base in [Cdn::DEFAULT.to_string(), format!("{}/", Cdn::DEFAULT)] {
            let url = base.parse::<Cdn>().unwrap().url(&CATALOG[1]);
            assert_eq!(url.as_str(), "https://cdn.jsdelivr.net/npm/moment@2.29.4/min/moment.min.js");
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for text in ["", "cdn.jsdelivr.net", "ftp://host", "file:///tmp", "http://"] {
            assert!(text.parse::<Cdn>().is_err(), "{text:?}");
        }
    }
}
