//! The folder that libraries are read from: one file for each, `NAME-VERSION.js`.

use std::{
    fs::{self, File, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{Library, LibraryError, MAX_BYTES, catalog, file_name, name};

/// A cache folder, which need not exist.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// What lies in a cache under a library's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CachedFile {
    /// The library's name, such as `lodash`.
    pub name: String,
    /// Its version, such as `4.17.21`.
    pub version: String,
    /// The size of the file.
    pub bytes: u64,
    /// Whether the catalog has this version of this library.
    pub catalog: bool,
    /// Whether the content is the one that the catalog pins; never so for what is not of the catalog.
    pub verified: bool,
}

/// Which file it is, and when it was changed last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    file: u64,
    bytes: u64,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
}

/// A kernel's clock for files ticks every few milliseconds; two changes within a tick look alike.
const TICK: Duration = Duration::from_millis(100);

impl Fingerprint {
    /// Whether a later change than what was read at this moment would have another fingerprint.
    #[must_use]
    pub fn was_settled_at(&self, read: SystemTime) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let since = Duration::new(seconds.unsigned_abs(), nanoseconds.unsigned_abs() as u32);
        read > SystemTime::UNIX_EPOCH + since + TICK
    }
}

impl Cache {
    /// Where it is by default, seen from the working directory.
    pub const DEFAULT_FOLDER: &str = ".vm-cache/libraries";

    /// The cache in this folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// As it was given.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The source of the library that a template has under this name: whatever lies there, because the folder is its
    /// owner's, who may have put a build of their own into it.
    ///
    /// # Errors
    /// The name is none, nothing is cached under it, or what is cached cannot be read.
    pub fn read(&self, name: &str) -> Result<String, LibraryError> {
        let path = self.folder.join(file_name(name)?);
        let content = match read_bounded(&path) {
            Ok(Some(content)) => content,
            Ok(None) => return Err(LibraryError::TooLarge(path)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(LibraryError::NotCached { name: name.into() });
            }
            Err(reason) => return Err(LibraryError::Unreadable { path, reason }),
        };
        String::from_utf8(content).map_err(|_| LibraryError::NotText(path))
    }

    /// Which state of its file a library is in.
    ///
    /// # Errors
    /// As those of [`Cache::read`].
    pub fn fingerprint(&self, name: &str) -> Result<Fingerprint, LibraryError> {
        let path = self.folder.join(file_name(name)?);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Fingerprint {
                file: metadata.ino(),
                bytes: metadata.len(),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(LibraryError::NotCached { name: name.into() }),
            Err(reason) => Err(LibraryError::Unreadable { path, reason }),
        }
    }

    /// What is cached, by name and version; other files of the folder are left out. A folder that does not exist is empty.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<CachedFile>, LibraryError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
        };
        let entries = entries.map_err(|reason| LibraryError::Unreadable { path: self.folder.clone(), reason })?;
        let mut files: Vec<_> = entries.iter().filter_map(|entry| cached_file(&entry.path())).collect();
        files.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        Ok(files)
    }

    /// Puts a library there. Readers and other writers see the old file or the whole new one; whoever is killed in
    /// between leaves a small hidden file behind that nothing reads.
    ///
    /// # Errors
    /// The folder cannot be made, or not be written to.
    pub(super) fn store(&self, library: &Library, content: &[u8]) -> Result<(), LibraryError> {
        let path = self.folder.join(library.full_name() + ".js");
        self.replace(&path, content).map_err(|reason| LibraryError::Unwritable { path, reason })
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        // By itself a temporary file is for its owner only; the daemon may run as somebody else.
        let readable = Permissions::from_mode(0o666);
        let mut file = tempfile::Builder::new().prefix(".download-").permissions(readable).tempfile_in(&self.folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }
}

/// What a path of the folder holds, if it is a file with the name of a library.
fn cached_file(path: &Path) -> Option<CachedFile> {
    let full_name = path.file_name()?.to_str()?.strip_suffix(".js")?;
    file_name(full_name).ok()?;
    let (name, version) = name::parts(full_name)?;
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let library = catalog::find(full_name);
    let verified = library.is_some_and(|library| {
        read_bounded(path).is_ok_and(|content| content.is_some_and(|content| library.verify(&content).is_ok()))
    });
    Some(CachedFile {
        name: name.into(),
        version: version.into(),
        bytes: metadata.len(),
        catalog: library.is_some(),
        verified,
    })
}

/// The content of a regular file, or `None` if that is more than a library may have.
fn read_bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // Before it is opened: opening a pipe would wait for somebody to write.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut content = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut content)?;
    Ok((content.len() as u64 <= MAX_BYTES).then_some(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libraries::CATALOG;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        (folder, cache)
    }

    #[test]
    fn what_is_not_cached_is_reported_under_the_name_that_was_asked_for() {
        let (folder, cache) = cache();
        for name in ["lodash", "lodash-4.17.21", "left-pad-1.3.0"] {
            for cache in [&cache, &Cache::new(folder.path().join("missing"))] {
                assert_eq!(
                    cache.read(name).unwrap_err().to_string(),
                    format!("library {name} not found in cache (run 'vm-system libs download' first)")
                );
            }
        }
        assert!(matches!(cache.read("../x-1"), Err(LibraryError::Name(_))));
    }

    #[test]
    fn a_file_of_the_users_own_is_read_as_it_is() {
        let (folder, cache) = cache();
        for (name, file) in [("mine-1.0", "mine-1.0.js"), ("lodash", "lodash-4.17.21.js")] {
            fs::write(folder.path().join(file), "var mine = 'é'").unwrap();
            assert_eq!(cache.read(name).unwrap(), "var mine = 'é'");
        }
    }

    #[test]
    fn what_cannot_be_read_as_text_is_an_error_that_names_the_file() {
        let (folder, cache) = cache();
        let path = |name| folder.path().join(name);
        fs::write(path("binary-1.js"), [0xff, 0xfe]).unwrap();
        fs::create_dir(path("folder-1.js")).unwrap();
        File::create(path("huge-1.js")).unwrap().set_len(MAX_BYTES + 1).unwrap();
        for (name, said) in [("binary-1", "UTF-8"), ("folder-1", "not a regular file"), ("huge-1", "more than")] {
            let message = cache.read(name).unwrap_err().to_string();
            assert!(message.contains(said) && message.contains(&format!("{name}.js")), "{message}");
        }
        let file = Cache::new(path("binary-1.js"));
        assert!(matches!(file.read("x-1"), Err(LibraryError::Unreadable { .. })));
        assert!(matches!(file.list(), Err(LibraryError::Unreadable { .. })));
        assert!(matches!(file.store(&CATALOG[0], b""), Err(LibraryError::Unwritable { .. })));
    }

    #[test]
    fn storing_replaces_what_was_there_and_leaves_nothing_else() {
        let (folder, _) = cache();
        let cache = Cache::new(folder.path().join("new/cache"));
        for content in ["first", "second"] {
            cache.store(&CATALOG[0], content.as_bytes()).unwrap();
        }
        let files: Vec<_> = fs::read_dir(cache.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files, [cache.folder().join("lodash-4.17.21.js")]);
        assert_eq!(fs::read(&files[0]).unwrap(), b"second");
    }

    #[test]
    fn the_list_has_what_templates_can_name_and_nothing_else() {
        let (folder, cache) = cache();
        assert_eq!(Cache::new(folder.path().join("missing")).list().unwrap(), []);
        for file in ["mine-1.0.js", "left-pad-1.3.0-beta.1.js", "lodash-4.17.21.js", "lodash-4.17.20.js"] {
            fs::write(folder.path().join(file), "12345").unwrap();
        }
        for file in ["README.md", "plain.js", ".download-1.js", "mine-1.0.js.bak", "ü-1.js"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        fs::create_dir(folder.path().join("folder-1.js")).unwrap();
        let file = |name: &str, version: &str, catalog| CachedFile {
            name: name.into(),
            version: version.into(),
            bytes: 5,
            catalog,
            verified: false,
        };
        assert_eq!(
            cache.list().unwrap(),
            [
                file("left-pad", "1.3.0-beta.1", false),
                file("lodash", "4.17.20", false),
                file("lodash", "4.17.21", true),
                file("mine", "1.0", false),
            ]
        );
    }
}
