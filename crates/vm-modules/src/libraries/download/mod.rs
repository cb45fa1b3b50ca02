//! Filling the cache folder.
//!
//! | module | what it holds |
//! |---|---|
//! | `cdn` | fetching a file from a CDN |
//! | `npm` | fetching a package through the user's own npm |
//! | `tarball` | taking one file out of a package |
//! | `error` | why a library was not downloaded, and what to do |

mod cdn;
mod error;
mod npm;
mod tarball;

use std::{fmt, str::FromStr};

use futures_util::{StreamExt, stream};

pub use cdn::Cdn;
pub use error::DownloadError;

use super::{Cache, Library};

/// So many libraries are fetched at the same time.
const AT_ONCE: usize = 4;

/// Who has the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The CDN.
    Cdn,
    /// Whatever registry the user's npm is set up for.
    Npm,
}

/// How to get the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Via {
    /// From the CDN, or from npm if the CDN cannot be reached.
    Auto,
    /// From here and nowhere else.
    Only(Source),
}

/// How a library has come to be in the cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was there, and whole.
    AlreadyCached,
    /// It is there now.
    Downloaded {
        /// Its size.
        bytes: usize,
        /// Where it is from.
        source: Source,
    },
}

/// What happens on the way to one library.
#[derive(Debug)]
pub enum Event<'a> {
    /// This is being fetched: a URL, or an npm package.
    Started(&'a str),
    /// So much of it has come.
    Received {
        /// In all, since the start.
        bytes: u64,
        /// The whole size, if it is known.
        of: Option<u64>,
    },
    /// This went wrong, and the same is tried again.
    Retrying(&'a DownloadError),
    /// This went wrong, and npm is tried instead.
    FallingBack(&'a DownloadError),
    /// Nothing more will happen.
    Ended(&'a Result<Outcome, DownloadError>),
}

/// Puts these libraries into the cache, a few at a time, and says how each has ended, in their order. One that fails does
/// not stop the others. Nothing but the file with the pinned hash is ever stored. `observe` is told what happens meanwhile.
pub async fn download(
    cache: &Cache,
    libraries: &[&'static Library],
    via: Via,
    cdn: &Cdn,
    observe: &impl Fn(&'static Library, Event<'_>),
) -> Vec<Result<Outcome, DownloadError>> {
    let one = |library: &'static Library| async move {
        let observe = |event: Event<'_>| observe(library, event);
        let result = obtain(cache, library, via, cdn, &observe).await;
        observe(Event::Ended(&result));
        result
    };
    stream::iter(libraries.iter().copied().map(one)).buffered(AT_ONCE).collect().await
}

async fn obtain(
    cache: &Cache,
    library: &'static Library,
    via: Via,
    cdn: &Cdn,
    observe: &impl Fn(Event<'_>),
) -> Result<Outcome, DownloadError> {
    let full_name = library.full_name();
    if cache.read(&full_name).is_ok_and(|source| library.verify(source.as_bytes()).is_ok()) {
        return Ok(Outcome::AlreadyCached);
    }
    let (content, source) = fetch(library, via, cdn, observe).await?;
    library.verify(&content).map_err(|found| DownloadError::WrongContent {
        full_name,
        origin: source,
        expected: library.sha256,
        found,
    })?;
    cache.store(library, &content)?;
    Ok(Outcome::Downloaded { bytes: content.len(), source })
}

async fn fetch(
    library: &Library,
    via: Via,
    cdn: &Cdn,
    observe: &impl Fn(Event<'_>),
) -> Result<(Vec<u8>, Source), DownloadError> {
    let from_npm = async || npm::fetch(library, observe).await.map(|content| (content, Source::Npm));
    if via == Via::Only(Source::Npm) {
        return from_npm().await;
    }
    match cdn.fetch(library, observe).await {
        Err(error @ DownloadError::Unreachable { .. }) if via == Via::Auto => {
            observe(Event::FallingBack(&error));
            from_npm().await.map_err(|npm| DownloadError::NeitherWay { cdn: error.into(), npm: npm.into() })
        }
        result => result.map(|content| (content, Source::Cdn)),
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cdn => "cdn",
            Self::Npm => "npm",
        })
    }
}

impl FromStr for Via {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "cdn" => Ok(Self::Only(Source::Cdn)),
            "npm" => Ok(Self::Only(Source::Npm)),
            _ => Err("it is auto, cdn or npm"),
        }
    }
}
