//! Why a command failed, in one line that says what to do.

use std::io;

use vm_client::ClientError;
use vm_modules::libraries::LibraryError;

/// Ends the process with exit code 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Core(#[from] vm_core::Error),
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error("{failed} of {of} libraries could not be downloaded")]
    Download { failed: usize, of: usize },
    #[error(transparent)]
    Access(#[from] vm_server::AccessError),
    #[error("{0}; give another one with VM_SYSTEM_TOKEN or --token")]
    Token(#[from] vm_model::TokenError),
    #[error("cannot listen on {address}: {reason}")]
    Listen { address: String, reason: String },
    #[error(
        "cannot find a folder for compiled code: neither XDG_CACHE_HOME nor HOME is set; name one with --code-cache"
    )]
    NoCodeCache,
    #[error("cannot serve: {0}")]
    Serve(io::Error),
    #[error("cannot read the snippet from standard input: {0}")]
    Stdin(io::Error),
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
}
