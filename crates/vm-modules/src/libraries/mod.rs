//! Third-party JavaScript that sessions begin with.
//!
//! | module | what it holds |
//! |---|---|
//! | [`catalog`] | the libraries that a template can name without a version, each with its pinned hash |
//! | [`name`] | what a library may be called, and the file that a name means |
//! | [`cache`] | the folder that libraries are read from |
//! | [`download`] | filling that folder, from a CDN or through npm |
//! | [`error`] | what can go wrong with the folder |

pub mod cache;
pub mod catalog;
pub mod download;
pub mod error;
pub mod name;

pub use cache::{Cache, CachedFile, Fingerprint};
pub use catalog::{CATALOG, Library};
pub use error::LibraryError;
pub use name::{LibraryNameError, file_name};

/// No library is larger, and none that claims to be is read.
const MAX_BYTES: u64 = 16 << 20;
