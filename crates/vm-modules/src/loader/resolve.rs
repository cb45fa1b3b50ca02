//! From a specifier to the path of a file.

use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use vm_model::Resolver;

use super::specifier::{folder_of, has_scheme, join, without_query};
use crate::{NativeError, Worktree, WorktreeError, catalog::Module};

/// What a path may not have in a URL.
const NO_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`');
const NOT_FOUND: &str = "ERR_MODULE_NOT_FOUND";
const REFUSED: &str = "ERR_UNSUPPORTED_SPECIFIER";

/// Finds and reads the files that a session's scripts import and require.
#[derive(Debug)]
pub struct Loader {
    pub(super) worktree: Arc<Worktree>,
    pub(super) resolver: Resolver,
    /// The native modules that `require` gives.
    pub(super) modules: Vec<&'static Module>,
    max_bytes: u64,
}

/// Where a specifier may point to.
struct Candidates {
    /// Without any extension added.
    stems: Vec<String>,
    /// A way out of the worktree was among them.
    leads_out: bool,
}

impl Loader {
    /// For one session: `modules` are the native ones that it has, and `max_bytes` is how much of a file is read.
    #[must_use]
    pub fn new(worktree: Arc<Worktree>, resolver: Resolver, modules: Vec<&'static Module>, max_bytes: u64) -> Self {
        Self { worktree, resolver, modules, max_bytes }
    }

    /// The name of the module that `specifier` means in `importer`: its path in the worktree, with the query if it has
    /// one.
    ///
    /// # Errors
    /// It names no file, or leads out of the worktree; the message names the importing file and the paths that were tried.
    pub fn resolve(&self, importer: &str, specifier: &str) -> Result<String, NativeError> {
        let bare = without_query(specifier);
        let Candidates { stems, leads_out } = self.candidates(importer, bare)?;
        let mut tried = Vec::new();
        for stem in stems.iter().filter(|stem| !stem.is_empty()) {
            let extensions = self.resolver.extensions.iter().map(String::as_str);
            for path in [""].into_iter().chain(extensions).map(|extension| format!("{stem}{extension}")) {
                if self.is_file(&path, importer, specifier)? {
                    return Ok(path + &specifier[bare.len()..]);
                }
                tried.push(path);
            }
        }
        let why = if leads_out { "; it leads out of the worktree" } else { "" };
        let tried = if tried.is_empty() { String::new() } else { format!("; tried {}", tried.join(", ")) };
        Err(refusal(importer, specifier, &format!("no such file{why}{tried}{}", self.hint(bare))))
    }

    fn candidates(&self, importer: &str, specifier: &str) -> Result<Candidates, NativeError> {
        let folders: Vec<&str>;
        let mut path = specifier.to_string();
        if let Some(inside) = self.of_own_url(specifier) {
            (folders, path) = (vec![""], inside);
        } else if has_scheme(specifier) {
            let why = "only files of the worktree can be imported";
            return Err(NativeError::new(REFUSED, message(importer, specifier, why)));
        } else if specifier.starts_with('/') {
            if !self.resolver.allow_absolute_repo_imports {
                let why = "absolute imports need the template's setting resolver.allow_absolute_repo_imports";
                return Err(NativeError::new(REFUSED, message(importer, specifier, why)));
            }
            folders = vec![""];
        } else {
            let roots = self.resolver.roots.iter().map(String::as_str);
            folders = [folder_of(importer)].into_iter().chain(roots).collect();
        }
        let joined: Vec<_> = folders.into_iter().map(|folder| join(folder, &path)).collect();
        let leads_out = joined.iter().any(Option::is_none);
        Ok(Candidates { stems: joined.into_iter().flatten().collect(), leads_out })
    }

    /// The path in the worktree that a `file:` URL means, as `import.meta.url` and what is made from it do.
    fn of_own_url(&self, specifier: &str) -> Option<String> {
        let path = specifier.strip_prefix("file://")?;
        let path = percent_decode_str(path).decode_utf8().ok()?;
        let inside = path.strip_prefix(self.worktree.path().to_str()?)?;
        // a folder's name may begin with the worktree's
        inside.starts_with('/').then(|| inside.to_string())
    }

    pub(super) fn is_file(&self, path: &str, importer: &str, specifier: &str) -> Result<bool, NativeError> {
        match self.worktree.is_file(path) {
            Ok(is_file) => Ok(is_file),
            Err(WorktreeError::Outside(why)) => Err(refusal(importer, specifier, &format!("{path} {why}"))),
            Err(error) => Err(refusal(importer, specifier, &format!("{path} cannot be read: {error}"))),
        }
    }

    /// For who asks `import` for what only `require` has.
    fn hint(&self, specifier: &str) -> String {
        match self.modules.iter().find(|module| module.name == specifier) {
            Some(module) => format!("; the native module is had by require('{}')", module.name),
            None => String::new(),
        }
    }

    /// The URL of a module, for `import.meta.url`.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        let bare = without_query(name);
        let path = self.worktree.path().join(bare);
        format!("file://{}{}", utf8_percent_encode(&path.to_string_lossy(), NO_PATH), &name[bare.len()..])
    }

    /// The source of a module.
    ///
    /// # Errors
    /// The file cannot be read, or is no longer there.
    pub fn load(&self, name: &str) -> Result<String, NativeError> {
        let path = without_query(name);
        let bytes = self.worktree.read(path, self.max_bytes).map_err(|error| {
            NativeError::new(NOT_FOUND, format!("module '{path}' cannot be read from the worktree: {error}"))
        })?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_string())
    }
}

fn refusal(importer: &str, specifier: &str, why: &str) -> NativeError {
    NativeError::new(NOT_FOUND, message(importer, specifier, why))
}

fn message(importer: &str, specifier: &str, why: &str) -> String {
    format!("Cannot find module '{specifier}' imported from {importer}: {why}")
}
