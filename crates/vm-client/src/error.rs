//! What can go wrong, as the caller needs to know it.

use std::error::Error;

use reqwest::Url;
use serde_json::{Map, Value};
use vm_model::ErrorCode;

/// Why a call failed. The message is for a person: what happened, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The daemon refused the call, or could not carry it out.
    #[error("api error (status={status}, code={code}): {message}")]
    Api {
        /// The HTTP status.
        status: u16,
        /// What to decide by.
        code: ErrorCode,
        /// What happened, to which thing, and what to do.
        message: String,
        /// The ids concerned.
        details: Box<Map<String, Value>>,
    },
    /// Nothing listens there.
    #[error(
        "no daemon answers at {server} ({reason}); start one with `vm-system serve`, or name another with --server-url"
    )]
    NoDaemon {
        /// Where it was looked for.
        server: String,
        /// What the network says.
        reason: String,
    },
    /// Something listens there, and it is no vm-system.
    #[error(
        "what answers at {server} is not vm-system (status {status}, content type {content_type:?}); \
         name the right address with --server-url"
    )]
    NotVmSystem {
        /// Where the daemon was looked for.
        server: String,
        /// The answer's status.
        status: u16,
        /// The answer's content type; may be empty.
        content_type: String,
    },
    /// The answer is that of a vm-system, but of one that says it differently.
    #[error("the answer of {url} is not understood ({source}); are client and daemon of the same version?")]
    Undecodable {
        /// What was called.
        url: Url,
        /// What is wrong with the answer.
        source: serde_json::Error,
    },
    /// The address is unusable.
    #[error("server URL {url:?} is not usable: {reason}; write it like http://127.0.0.1:3210")]
    BadUrl {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The id cannot stand in a path.
    #[error("{0:?} is not an id; ids are UUIDs")]
    BadId(String),
    /// A call that needs no time was not answered.
    #[error("the daemon at {server} did not answer in time; is it overloaded or stopped?")]
    Timeout {
        /// Who did not answer.
        server: String,
    },
    /// The connection broke, or what came over it was no HTTP.
    #[error("the call to {server} failed: {reason}")]
    Transport {
        /// Who was called.
        server: String,
        /// What the network says.
        reason: String,
    },
}

impl ClientError {
    /// What a failed call to this server means.
    pub(crate) fn from_network(error: &reqwest::Error, server: String) -> Self {
        if error.is_connect() {
            Self::NoDaemon { server, reason: root_cause(error) }
        } else if error.is_timeout() {
            Self::Timeout { server }
        } else {
            Self::Transport { server, reason: root_cause(error) }
        }
    }
}

/// The innermost reason: the outer ones only say which layer passed it on.
pub(crate) fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
