//! What a DSN names, and that it is a file of the worktree.

use std::{
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use cap_std::fs::Dir;
use rusqlite::OpenFlags;

use super::super::NativeError;
use crate::Worktree;

/// Where a database is.
///
/// SQLite opens files by their path, and it does so again and again: the database, its journal, its write-ahead log. The path
/// that it gets is the one that the kernel itself has for the opened folder, so it has no symlink in it and lies beneath the
/// worktree. SQLite never follows a symlink at the end of a path (`O_NOFOLLOW`), and refuses to open a path that has one
/// before its end. What comes after that check, `confinement` is for.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Location {
    Memory,
    File {
        path: PathBuf,
        /// Read, write, create.
        access: OpenFlags,
    },
}

const CREATE: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_CREATE);

impl Location {
    /// `dsn`: a path, `:memory:`, or a `file:` URI.
    pub fn find(worktree: &Worktree, dsn: &str, is_read_only: bool) -> Result<Self, NativeError> {
        let (path, access) = match dsn.strip_prefix("file:") {
            Some(uri) => read_uri(uri).map_err(|what| invalid(dsn, &what))?,
            None => (dsn.to_string(), Some(CREATE)),
        };
        let Some(access) = access.filter(|_| path != ":memory:") else {
            return Ok(Self::Memory);
        };
        let access = if is_read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { access };
        Ok(Self::File { path: confine(worktree, &path)?, access })
    }
}

/// The path, and nothing for one that is only a name in memory.
fn read_uri(uri: &str) -> Result<(String, Option<OpenFlags>), String> {
    let uri = uri.split_once('#').map_or(uri, |(uri, _)| uri);
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let path = match path.strip_prefix("//") {
        Some(rest) => match rest.find('/') {
            Some(end) if matches!(&rest[..end], "" | "localhost") => &rest[end..],
            _ => return Err("names another machine".into()),
        },
        None => path,
    };
    let mut access = Some(CREATE);
    for option in query.split('&').filter(|option| !option.is_empty()) {
        match option {
            "mode=ro" => access = Some(OpenFlags::SQLITE_OPEN_READ_ONLY),
            "mode=rw" => access = Some(OpenFlags::SQLITE_OPEN_READ_WRITE),
            "mode=rwc" => access = Some(CREATE),
            "mode=memory" => access = None,
            // a session has one connection, which shares its cache with nobody
            "cache=private" | "cache=shared" => {}
            _ => {
                return Err(format!(
                    "has the option {option:?}; mode=ro|rw|rwc|memory and cache=private|shared are known"
                ));
            }
        }
    }
    Ok((decode(path).ok_or("has a damaged % in it")?, access))
}

/// Percent-decoding.
fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|byte| is_hex && *byte != 0)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// The absolute path of a file beneath the worktree, with no symlink in it.
fn confine(worktree: &Worktree, shown: &str) -> Result<PathBuf, NativeError> {
    let path = worktree.beneath(shown).ok_or_else(|| NativeError::outside("open", shown))?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| invalid(shown, "names no file"))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = worktree.folder().open_dir(parent).map_err(|error| NativeError::system(&error, "open", shown))?;
    for suffix in ["", "-journal", "-wal", "-shm"] {
        check(&folder, &format!("{name}{suffix}"), shown)?;
    }
    let folder = std::fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    folder.map(|folder| folder.join(name)).map_err(|error| NativeError::system(&error, "open", shown))
}

/// Refuses what is there and no regular file: a symlink leads elsewhere, a pipe would be waited for.
fn check(folder: &Dir, name: &str, shown: &str) -> Result<(), NativeError> {
    match folder.symlink_metadata(name) {
        Ok(metadata) if !metadata.is_file() => {
            let text = format!("{name} has to be a regular file, and is a folder, symlink, pipe, device or socket");
            Err(NativeError::about_path("EINVAL", &text, "open", shown))
        }
        // what is not there, SQLite may create
        _ => Ok(()),
    }
}

fn invalid(dsn: &str, what: &str) -> NativeError {
    let hint = "use a file of the worktree or :memory:";
    NativeError::new("ERR_INVALID_ARG_VALUE", format!("the database {dsn:?} {what}; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Option<(String, Option<OpenFlags>)> {
        read_uri(text).ok()
    }

    #[test]
    fn uris_are_read_as_sqlite_reads_them() {
        assert_eq!(uri("a.db"), Some(("a.db".into(), Some(CREATE))));
        assert_eq!(uri("///w/a%20b.db?mode=ro#x"), Some(("/w/a b.db".into(), Some(OpenFlags::SQLITE_OPEN_READ_ONLY))));
        assert_eq!(uri("//localhost/w/a?mode=rw"), Some(("/w/a".into(), Some(OpenFlags::SQLITE_OPEN_READ_WRITE))));
        assert_eq!(uri("a?mode=memory&cache=shared"), Some(("a".into(), None)));
        for refused in [
            "//host/a",
            "a?vfs=unix-none",
            "a?immutable=1",
            "a?nolock=1",
            "a?mode=x",
            "a%",
            "a%2",
            "a%00",
            "a%+1",
            "a%é",
            "%ff",
        ] {
            assert_eq!(uri(refused), None, "{refused}");
        }
    }
}
