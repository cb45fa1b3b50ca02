//! What the script catches.

use std::io;

use rmpv::Value;
use rustix::io::Errno;

use super::call::encode;

/// Names of the arguments' mistakes, as Node has them.
pub(super) const INVALID_TYPE: &str = "ERR_INVALID_ARG_TYPE";
pub(super) const INVALID_VALUE: &str = "ERR_INVALID_ARG_VALUE";

/// A command printed more than the execution may.
pub const OUTPUT_LIMIT: &str = "ERR_CHILD_PROCESS_STDIO_MAXBUFFER";

/// An `Error` with this message and these properties.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct NativeError {
    /// What programs look at: `ENOENT`, `SQLITE_BUSY`, `ERR_…`.
    pub code: &'static str,
    /// What people read.
    pub message: String,
    /// A command's exit status.
    pub status: Option<i32>,
    /// What a command printed before it failed.
    pub output: Option<String>,
    /// The path that the script gave.
    pub path: Option<String>,
    /// What was being done with the path.
    pub syscall: Option<&'static str>,
}

impl NativeError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: None, output: None, path: None, syscall: None }
    }

    /// The execution is to end.
    pub fn cancelled() -> Self {
        Self::new("ERR_CANCELLED", "the call was ended, because the execution ends")
    }

    /// As Node words what the system answers about a path.
    pub(super) fn system(error: &io::Error, syscall: &'static str, path: &str) -> Self {
        let (code, text) = match error.raw_os_error() {
            Some(number) => describe(Errno::from_raw_os_error(number)),
            // how cap-std reports a way out
            None if error.kind() == io::ErrorKind::PermissionDenied => return Self::outside(syscall, path),
            None => ("EIO", "i/o error"),
        };
        Self::about_path(code, text, syscall, path)
    }

    /// The path leads out of everything that is granted.
    pub(super) fn outside(syscall: &'static str, path: &str) -> Self {
        let text = "the path leads out of the worktree (a capability of kind fs opens more folders)";
        Self::about_path("EACCES", text, syscall, path)
    }

    pub(super) fn about_path(code: &'static str, text: &str, syscall: &'static str, path: &str) -> Self {
        let message = format!("{code}: {text}, {syscall} '{path}'");
        Self { path: Some(path.into()), syscall: Some(syscall), ..Self::new(code, message) }
    }

    /// As a MessagePack map: `message`, `code`, and what else there is of `status`, `output`, `path`, `syscall`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let texts = [
            ("message", Some(self.message.as_str())),
            ("code", Some(self.code)),
            ("output", self.output.as_deref()),
            ("path", self.path.as_deref()),
            ("syscall", self.syscall),
        ];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name.into(), text?.into())));
        let status = self.status.map(|status| ("status".into(), status.into()));
        encode(&Value::Map(texts.chain(status).collect()))
    }
}

/// Name and meaning, in Node's words.
pub(super) fn describe(number: Errno) -> (&'static str, &'static str) {
    match number {
        Errno::NOENT => ("ENOENT", "no such file or directory"),
        Errno::EXIST => ("EEXIST", "file already exists"),
        Errno::ISDIR => ("EISDIR", "illegal operation on a directory"),
        Errno::NOTDIR => ("ENOTDIR", "not a directory"),
        Errno::NOTEMPTY => ("ENOTEMPTY", "directory not empty"),
        Errno::ACCESS => ("EACCES", "permission denied"),
        Errno::PERM => ("EPERM", "operation not permitted"),
        Errno::ROFS => ("EROFS", "read-only file system"),
        Errno::NOSPC => ("ENOSPC", "no space left on device"),
        Errno::DQUOT => ("EDQUOT", "disk quota exceeded"),
        Errno::FBIG => ("EFBIG", "file too large"),
        Errno::LOOP => ("ELOOP", "too many symbolic links encountered"),
        Errno::NAMETOOLONG => ("ENAMETOOLONG", "name too long"),
        Errno::MFILE => ("EMFILE", "too many open files"),
        Errno::NFILE => ("ENFILE", "file table overflow"),
        Errno::NOMEM => ("ENOMEM", "not enough memory"),
        Errno::AGAIN => ("EAGAIN", "resource temporarily unavailable"),
        Errno::BUSY => ("EBUSY", "resource busy or locked"),
        Errno::TXTBSY => ("ETXTBSY", "text file is busy"),
        Errno::NXIO => ("ENXIO", "no such device or address"),
        Errno::INVAL => ("EINVAL", "invalid argument"),
        Errno::TOOBIG => ("E2BIG", "argument list too long"),
        Errno::NOEXEC => ("ENOEXEC", "exec format error"),
        _ => ("EIO", "i/o error"),
    }
}
