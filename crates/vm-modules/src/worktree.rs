//! A session's folder, and the boundary of its sandbox.

use std::{
    fmt, io,
    io::Read,
    path::{Path, PathBuf},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions, OpenOptionsExt},
};

/// Opening a pipe without it would wait for somebody to write.
const O_NONBLOCK: i32 = 0o4000;

/// ENXIO: a socket, or a pipe that nobody reads. ENAMETOOLONG, ELOOP: no file can be there.
const NO_FILE: [i32; 3] = [6, 36, 40];

/// So much memory is made ready for a file before it is read, in bytes.
const MOST_AT_ONCE: u64 = 64 << 10;

/// A folder out of which no path leads: not by `..`, not by being absolute, not through a symlink, not by a race.
pub struct Worktree {
    path: PathBuf,
    folder: Dir,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    /// The path is absolute, has `..`, or leads out of the worktree.
    #[error("{0}")]
    Outside(&'static str),
    /// There is no regular file.
    #[error("no such file")]
    NotFound,
    /// The file is there and cannot be read.
    #[error(transparent)]
    Io(io::Error),
}

impl fmt::Debug for Worktree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Worktree").field(&self.path).finish()
    }
}

impl Worktree {
    /// The folder at this absolute path.
    ///
    /// # Errors
    /// It is missing, no folder, or not to be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_path_buf(), folder: Dir::open_ambient_dir(path, ambient_authority())? })
    }

    /// As it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The part of a path that is within the worktree, to be opened in [`Self::folder`]; nothing when the path is absolute
    /// and begins elsewhere. Whether the rest stays inside is for the kernel to say.
    pub(crate) fn beneath<'a>(&self, path: &'a str) -> Option<&'a Path> {
        let path = Path::new(path);
        let rest = if path.is_absolute() { path.strip_prefix(&self.path).ok()? } else { path };
        Some(if rest.as_os_str().is_empty() { Path::new(".") } else { rest })
    }

    pub(crate) fn folder(&self) -> &Dir {
        &self.folder
    }

    /// Whether a regular file is at this path.
    ///
    /// # Errors
    /// The path leads out of the worktree, or the system refuses to look.
    pub fn is_file(&self, path: &str) -> Result<bool, WorktreeError> {
        let path = normalise(path).map_err(WorktreeError::Outside)?;
        match self.folder.metadata(path).map_err(refused) {
            Ok(metadata) => Ok(metadata.is_file()),
            Err(WorktreeError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The bytes of a regular file, of which at most `limit` are read.
    ///
    /// # Errors
    /// See [`WorktreeError`]; nothing outside the worktree is opened.
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, WorktreeError> {
        let path = normalise(path).map_err(WorktreeError::Outside)?;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(O_NONBLOCK);
        let file = self.folder.open_with(path, &options).map_err(refused)?;
        let metadata = file.metadata().map_err(WorktreeError::Io)?;
        if !metadata.is_file() {
            return Err(WorktreeError::NotFound);
        }
        // Nobody asks for more than there was, which takes one read less; but some say that there is nothing until they are read.
        let end = if metadata.len() == 0 { limit } else { limit.min(metadata.len()) };
        // What a large file says of its size is not believed.
        let mut bytes = Vec::with_capacity(end.min(MOST_AT_ONCE) as usize);
        file.take(end).read_to_end(&mut bytes).map_err(WorktreeError::Io)?;
        Ok(bytes)
    }
}

/// A file's path as it is stored and shown, see [`vm_model::normalise`].
///
/// # Errors
/// What is wrong with the path, to be read behind it.
pub fn normalise(path: &str) -> Result<String, &'static str> {
    match vm_model::normalise(path)? {
        path if path == "." => Err("names no file"),
        path => Ok(path),
    }
}

fn refused(error: io::Error) -> WorktreeError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => WorktreeError::NotFound,
        _ if error.raw_os_error().is_some_and(|number| NO_FILE.contains(&number)) => WorktreeError::NotFound,
        // how cap-std reports a way out; the kernel reports a file that may not be read with a number of its own
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
            WorktreeError::Outside("leads out of the worktree")
        }
        _ => WorktreeError::Io(error),
    }
}
