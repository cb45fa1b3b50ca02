//! Every function of the host that scripts can call, by name.
//!
//! Scripts do not call these themselves: the guest's prelude does, behind `require`, `import`, `URL` and the like. Arguments
//! and answers are MessagePack, and a request that does not fit its function is refused like any other mistake.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Bounds, Loader, NativeError, Natives, Net,
    net::fetch::IsStopped,
    web::{encoding, url},
};

/// A session's functions of the host.
#[derive(Debug)]
pub struct HostCalls {
    /// `modules.…`
    pub loader: Loader,
    /// `fs.…`, `exec.…`, `database.…`
    pub natives: Natives,
    /// `net.…`
    pub net: Option<Net>,
    /// The most bytes that an answer may have.
    pub max_answer: u64,
    /// The most bytes that a command may print.
    pub max_output: u64,
}

/// Whether a function tells the same whenever it is asked the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeats {
    /// It computes.
    Always,
    /// It reads files.
    WhileFilesStay,
    /// It does something, or tells of what changes by itself.
    Never,
}

/// How often a function of this name tells the same; one that is not known never does.
#[must_use]
pub fn repeats(name: &str) -> Repeats {
    match name {
        "fs.existsSync" | "fs.readFileSync" | "fs.readdirSync" => Repeats::WhileFilesStay,
        _ if name.starts_with("modules.") => Repeats::WhileFilesStay,
        _ if name.starts_with("url.") || name.starts_with("encoding.") => Repeats::Always,
        _ => Repeats::Never,
    }
}

impl HostCalls {
    /// Calls the function of this name with `request`, one MessagePack array; answers one MessagePack value. For `charge`
    /// and `spend` see [`Bounds`].
    ///
    /// # Errors
    /// What the script catches.
    pub fn call(
        &mut self,
        name: &str,
        request: &[u8],
        is_stopped: &IsStopped,
        charge: &(dyn Fn(&mut dyn FnMut()) + Sync),
        spend: &(dyn Fn(Duration) -> Duration + Sync),
    ) -> Result<Vec<u8>, NativeError> {
        match name.split_once('.') {
            Some(("modules", function)) => self.find(function, request),
            Some(("url", function)) => url_call(function, request),
            Some(("encoding", function)) => encoding_call(function, request),
            Some(("net", function)) => self.fetch(function, request, is_stopped),
            module => {
                let is_stopped = &**is_stopped;
                let max_bytes = if matches!(module, Some(("exec", _))) { self.max_output } else { self.max_answer };
                self.natives.call(name, request, &Bounds { is_stopped, charge, spend, max_bytes })
            }
        }
    }

    fn fetch(&mut self, function: &str, request: &[u8], is_stopped: &IsStopped) -> Result<Vec<u8>, NativeError> {
        match (function, &mut self.net) {
            ("fetch", Some(net)) => {
                let (request,) = arguments(request)?;
                answer(&net.start(request, self.max_answer, is_stopped))
            }
            ("cancel", Some(net)) => {
                let (id,) = arguments(request)?;
                net.cancel(id);
                answer(&())
            }
            ("answers", Some(net)) => answer(&net.answers()),
            _ => Err(unknown(function)),
        }
    }

    fn find(&self, function: &str, request: &[u8]) -> Result<Vec<u8>, NativeError> {
        if let "url" | "load" | "read" = function {
            let (path,): (String,) = arguments(request)?;
            return match function {
                "url" => answer(&self.loader.url(&path)),
                "load" => answer(&self.loader.load(&path)?),
                _ => answer(&self.loader.read(&path)?),
            };
        }
        let (from, specifier): (String, String) = arguments(request)?;
        match function {
            "resolve" => answer(&self.loader.resolve(&from, &specifier)?),
            "require" => answer(&self.loader.require(&from, &specifier)?),
            _ => Err(unknown(function)),
        }
    }
}

fn url_call(function: &str, request: &[u8]) -> Result<Vec<u8>, NativeError> {
    match function {
        "parse" => {
            let (url, base): (String, Option<String>) = arguments(request)?;
            answer(&url::parse(&url, base.as_deref()))
        }
        "set" => {
            let (href, part, value): (String, String, String) = arguments(request)?;
            answer(&url::set(&href, &part, &value))
        }
        "parse_query" => {
            let (query,): (String,) = arguments(request)?;
            answer(&url::parse_query(&query))
        }
        "write_query" => {
            let (pairs,): (Vec<(String, String)>,) = arguments(request)?;
            answer(&url::write_query(&pairs))
        }
        _ => Err(unknown(function)),
    }
}

fn encoding_call(function: &str, request: &[u8]) -> Result<Vec<u8>, NativeError> {
    match function {
        "name" => {
            let (label,): (String,) = arguments(request)?;
            answer(&encoding::name(&label))
        }
        "decode" => {
            let (label, bytes, options): (String, serde_bytes::ByteBuf, encoding::Options) = arguments(request)?;
            answer(&encoding::decode(&label, &bytes, options))
        }
        _ => Err(unknown(function)),
    }
}

fn arguments<T: DeserializeOwned>(request: &[u8]) -> Result<T, NativeError> {
    rmp_serde::from_slice(request)
        .map_err(|error| NativeError::new("ERR_INVALID_ARG_TYPE", format!("the arguments are not acceptable: {error}")))
}

fn answer(value: &impl Serialize) -> Result<Vec<u8>, NativeError> {
    rmp_serde::to_vec_named(value)
        .map_err(|error| NativeError::new("ERR_INTERNAL", format!("the answer cannot be written: {error}")))
}

fn unknown(function: &str) -> NativeError {
    NativeError::new("ERR_UNKNOWN_FUNCTION", format!("the host has no function {function}"))
}
