//! What can go wrong with the cache folder.

use std::{io, path::PathBuf};

use super::{LibraryNameError, MAX_BYTES};

/// Why a library cannot be had from the cache, or not be put there; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// There is no such file.
    #[error("library {name} not found in cache (run 'vm-system libs download' first)")]
    NotCached {
        /// As the template has it.
        name: String,
    },
    /// The file is no JavaScript, whatever else it is.
    #[error("{} is not UTF-8 text; replace it", .0.display())]
    NotText(PathBuf),
    /// The file is larger than any library may be.
    #[error("{} has more than {MAX_BYTES} bytes; replace it", .0.display())]
    TooLarge(PathBuf),
    /// The file or the folder is there and cannot be read.
    #[error("cannot read {}: {reason}; check what it is and who may read it", path.display())]
    Unreadable {
        /// The file or the folder.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The file cannot be put into the folder.
    #[error("cannot write {}: {reason}; make its folder writable, or choose another with --cache-dir", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The name is that of no file.
    #[error(transparent)]
    Name(#[from] LibraryNameError),
}
