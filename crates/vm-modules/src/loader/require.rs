//! What `require` is given: a native module that the session has, or a file of the worktree.

use serde::Serialize;

use super::{
    Loader,
    specifier::{folder_of, join},
};
use crate::{NativeError, catalog, libraries};

/// What a specifier means to `require`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// A native module, and the names of its functions.
    Native {
        /// What scripts `require`.
        name: &'static str,
        /// As the catalog has them.
        functions: &'static [&'static str],
    },
    /// The file at this path of the worktree.
    Path(String),
}

/// A file as CommonJS wants it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RequiredFile {
    /// In the worktree.
    pub path: String,
    /// Absolute, for `__filename`.
    pub filename: String,
    /// Absolute, for `__dirname`.
    pub dirname: String,
    /// Its text.
    pub source: String,
}

impl Loader {
    /// What `specifier` means in the file `from`.
    ///
    /// # Errors
    /// It is neither a native module that the session has nor a file of the worktree; the message says what to do.
    pub fn require(&self, from: &str, specifier: &str) -> Result<Found, NativeError> {
        if let Some(module) = self.modules.iter().find(|module| module.name == specifier) {
            return Ok(Found::Native { name: module.name, functions: module.functions });
        }
        let is_relative =
            ["./", "../"].iter().any(|start| specifier.starts_with(start)) || [".", ".."].contains(&specifier);
        if !is_relative {
            return Err(invalid(specifier, &self.advice(specifier)));
        }
        let Some(stem) = join(folder_of(from), specifier) else {
            return Err(invalid(specifier, "it leads out of the worktree"));
        };
        self.require_file(from, specifier, &stem)
    }

    fn require_file(&self, from: &str, specifier: &str, stem: &str) -> Result<Found, NativeError> {
        let endings = ["", ".js", ".json", "/index.js", "/index.json"];
        let candidates = endings.iter().map(|ending| format!("{stem}{ending}").trim_start_matches('/').to_string());
        let mut tried = Vec::new();
        for path in candidates.filter(|path| !path.is_empty()) {
            if !self.is_file(&path, from, specifier).map_err(|error| invalid(specifier, &error.message))? {
                tried.push(path);
            } else if path.ends_with(".mjs") {
                return Err(invalid(specifier, "it is an ES module; load it with import()"));
            } else {
                return Ok(Found::Path(path));
            }
        }
        Err(invalid(specifier, &format!("required from {from}, no such file; tried {}", tried.join(", "))))
    }

    fn advice(&self, specifier: &str) -> String {
        if catalog::CATALOG.iter().any(|module| module.name == specifier) {
            return format!(
                "it is not enabled for this session; add it to the template (vm-system template add-module TEMPLATE \
                 --name {specifier}) and create a new session"
            );
        }
        if let Some(library) = libraries::catalog::find(specifier) {
            let global = library.global;
            return format!(
                "it is a library, which is the global {global} where the template has it (vm-system template \
                 add-library TEMPLATE --name {specifier})"
            );
        }
        let names: Vec<_> = self.modules.iter().map(|module| module.name).collect();
        let enabled = if names.is_empty() { "none".into() } else { names.join(", ") };
        format!(
            "there are native modules (enabled here: {enabled}) and files of the worktree, which start with ./ or ../"
        )
    }

    /// The file at a path that [`Loader::require`] gave.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub fn read(&self, path: &str) -> Result<RequiredFile, NativeError> {
        let filename = self.worktree.path().join(path);
        let dirname = filename.parent().unwrap_or(self.worktree.path()).to_string_lossy().into_owned();
        let filename = filename.to_string_lossy().into_owned();
        Ok(RequiredFile { path: path.into(), filename, dirname, source: self.load(path)? })
    }
}

fn invalid(specifier: &str, why: &str) -> NativeError {
    NativeError::new("MODULE_NOT_FOUND", format!("Invalid module '{specifier}': {why}"))
}
