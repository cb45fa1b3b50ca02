//! The folder of SQLite's temporary files: nameless ones, in which it sorts, and which hold what temporary tables and
//! `VACUUM` have beyond its cache.
//!
//! The system's folder for such files may have anything in it, even worktrees. So SQLite gets one in there that has nothing
//! else. It stays when the daemon ends, and is the next one's.

use std::{
    env,
    fs::DirBuilder,
    io,
    os::{fd::OwnedFd, unix::fs::DirBuilderExt as _},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use rusqlite::Connection;
use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, fstat, open},
    process::geteuid,
};

use super::{super::NativeError, failure::failure};

static FOLDER: OnceLock<OwnedFd> = OnceLock::new();

/// The process's one, which SQLite knows from here on.
///
/// # Errors
/// There is no place where one can be made.
pub(super) fn folder() -> Result<&'static OwnedFd, NativeError> {
    if let Some(folder) = FOLDER.get() {
        return Ok(folder);
    }
    let (path, folder) = make().map_err(|error| {
        let message = format!("the database has no folder for temporary files: {error}; set SQLITE_TMPDIR to one");
        NativeError::new("ERR_INTERNAL", message)
    })?;
    tell_sqlite(&path).map_err(failure)?;
    Ok(FOLDER.get_or_init(|| folder))
}

/// In the first place that will do, of those where SQLite itself would look.
fn make() -> io::Result<(PathBuf, OwnedFd)> {
    let named = ["SQLITE_TMPDIR", "TMPDIR"].into_iter().filter_map(env::var_os).map(PathBuf::from);
    let mut made = Err(io::ErrorKind::NotFound.into());
    for place in named.chain(["/var/tmp".into(), "/tmp".into()]) {
        let path = place.join(format!("vm-system-{}", geteuid().as_raw()));
        made = make_at(&path).map(|folder| (path, folder));
        if made.is_ok() {
            break;
        }
    }
    made
}

/// Others may write into the place where it is, but not into the folder.
fn make_at(path: &Path) -> io::Result<OwnedFd> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let folder = open(path, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let metadata = fstat(&folder)?;
    if metadata.st_uid != geteuid().as_raw() || metadata.st_mode & 0o077 != 0 {
        let message = format!("{} is not this user's alone", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    // So that what tidies up this place does not take it for forgotten. Where there are no locks, that is no harm.
    let _ = flock(&folder, FlockOperation::NonBlockingLockShared);
    Ok(folder)
}

fn tell_sqlite(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open_in_memory()?;
    connection.pragma_update(None, "temp_store_directory", path.to_str())?;
    // What it reads of the system, it reads once per process; confined threads could not.
    connection.query_row("SELECT datetime('now', 'localtime'), random()", [], |_| Ok(()))
}
