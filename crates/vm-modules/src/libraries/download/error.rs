//! Why a library was not downloaded, and what to do.

use std::io;

use reqwest::{StatusCode, Url};

use super::Source;
use crate::libraries::{LibraryError, MAX_BYTES};

/// Why a library was not downloaded; see [`DownloadError::advice`] for what to do.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The network failed, or the server, again and again.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// The file.
        url: Url,
        /// What the network or the server says.
        reason: String,
    },
    /// The server does not have the file, or not for everybody.
    #[error("{url} answers {status}")]
    Refused {
        /// The file.
        url: Url,
        /// The answer.
        status: StatusCode,
    },
    /// What the server sends is larger than any library may be.
    #[error("{0} has more than {MAX_BYTES} bytes")]
    TooLarge(Url),
    /// The file that was found is another one.
    #[error(
        "what came from {origin} is not {full_name} as it was published: expected sha256 {expected}, found {found}"
    )]
    WrongContent {
        /// The library.
        full_name: String,
        /// Where it is from.
        origin: Source,
        /// The catalog's hash.
        expected: &'static str,
        /// The file's own.
        found: String,
    },
    /// There is no npm.
    #[error("npm is not installed")]
    NoNpm,
    /// npm is there, and has not done what it was asked to.
    #[error("npm pack {package} failed: {reason}")]
    Npm {
        /// NAME@VERSION.
        package: String,
        /// What npm says.
        reason: String,
    },
    /// npm has brought a package without the file, or none at all.
    #[error("the package that npm brought for {package} is unusable: {reason}")]
    Package {
        /// NAME@VERSION.
        package: String,
        /// What is wrong with it.
        reason: io::Error,
    },
    /// There is no place for a package.
    #[error("cannot make a temporary folder: {0}")]
    NoTemporaryFolder(io::Error),
    /// Both ways were tried.
    #[error("{cdn}; and by npm: {npm}")]
    NeitherWay {
        /// Why not from the CDN.
        cdn: Box<DownloadError>,
        /// Why not from npm.
        npm: Box<DownloadError>,
    },
    /// The file was found and cannot be kept; the message says what to do.
    #[error(transparent)]
    Cache(#[from] LibraryError),
}

impl DownloadError {
    /// What to do; nothing if the message says it.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable { .. } => "check the network, or get it with --via npm",
            Self::Refused { .. } | Self::TooLarge(_) => "check the address given with --cdn, or get it with --via npm",
            Self::WrongContent { origin: Source::Cdn, .. } => "nothing was stored; get it with --via npm",
            Self::WrongContent { origin: Source::Npm, .. } => {
                "nothing was stored; check npm's registry, or get it with --via cdn"
            }
            Self::NoNpm => "install Node.js with npm, or get it with --via cdn",
            Self::Npm { .. } | Self::Package { .. } => "check npm's registry and proxy, or get it with --via cdn",
            Self::NoTemporaryFolder(_) => "point TMPDIR to a folder that can be written to, or use --via cdn",
            Self::NeitherWay { npm, .. } => match **npm {
                Self::NoNpm => "check the network, or install Node.js with npm",
                _ => "check the network, and npm's registry and proxy",
            },
            Self::Cache(_) => return None,
        })
    }
}
