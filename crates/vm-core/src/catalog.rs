//! What templates can be configured with.

use vm_model::{EngineEntry, LibraryEntry, ModuleEntry};
use vm_modules::{catalog, libraries};

/// Name and description of each engine; the first is the default.
const ENGINES: [(&str, &str); 2] = [
    ("quickjs", "QuickJS-NG, compiled to WebAssembly."),
    ("goja", "The same engine, under the name by which scripts written for the first implementation ask for it."),
];

/// What a template gets that names no engine.
pub(crate) const DEFAULT_ENGINE: &str = ENGINES[0].0;

pub(crate) fn is_engine(name: &str) -> bool {
    ENGINES.iter().any(|(engine, _)| *engine == name)
}

/// The native modules, by name.
#[must_use]
pub fn modules() -> Vec<ModuleEntry> {
    let entry = |module: &catalog::Module| ModuleEntry {
        name: module.name.into(),
        description: module.description.into(),
        functions: module.functions.iter().map(|name| name.to_string()).collect(),
    };
    catalog::CATALOG.iter().map(entry).collect()
}

/// The libraries that need no version.
#[must_use]
pub fn libraries() -> Vec<LibraryEntry> {
    let entry = |library: &libraries::Library| LibraryEntry {
        name: library.name.into(),
        version: library.version.into(),
        global: library.global.into(),
        description: library.description.into(),
    };
    libraries::CATALOG.iter().map(entry).collect()
}

/// The engines.
#[must_use]
pub fn engines() -> Vec<EngineEntry> {
    let entry = |(name, description): &(&str, &str)| EngineEntry {
        name: name.to_string(),
        description: description.to_string(),
        default: *name == DEFAULT_ENGINE,
    };
    ENGINES.iter().map(entry).collect()
}
