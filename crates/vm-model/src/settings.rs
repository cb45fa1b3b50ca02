//! What a template decides about its runtimes. Stored as a JSON document: a new field needs a default here and no
//! schema migration.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::normalise;

/// The settings of a template: limits, resolver, runtime.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What one execution may use.
    pub limits: Limits,
    /// How `import` finds files.
    pub resolver: Resolver,
    /// How code runs.
    pub runtime: Runtime,
}

/// What one execution may use before it is ended with `OUTPUT_LIMIT_EXCEEDED`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// CPU time, in milliseconds.
    #[schema(required, minimum = 1, maximum = 86_400_000)]
    pub cpu_ms: u64,
    /// Time from start to end, waiting included, in milliseconds.
    #[schema(required, minimum = 1, maximum = 86_400_000)]
    pub wall_ms: u64,
    /// All of the session's memory, in MiB.
    #[schema(required, minimum = 4, maximum = 2048)]
    pub mem_mb: u64,
    /// Events, `input_echo` included.
    #[schema(required, minimum = 1, maximum = 10_000_000)]
    pub max_events: u64,
    /// Payload bytes over all events, in KiB.
    #[schema(required, minimum = 1, maximum = 1_048_576)]
    pub max_output_kb: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cpu_ms: 5000, wall_ms: 30_000, mem_mb: 128, max_events: 1000, max_output_kb: 512 }
    }
}

/// How `import` finds files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Resolver {
    /// Folders of the worktree that bare specifiers are looked up in, normalised; `.` is the worktree itself.
    #[schema(required)]
    pub roots: Vec<String>,
    /// Extensions that are tried, in order, each with its dot.
    #[schema(required)]
    pub extensions: Vec<String>,
    /// Whether `/x.js` means the worktree's `x.js`.
    #[schema(required)]
    pub allow_absolute_repo_imports: bool,
}

impl Default for Resolver {
    fn default() -> Self {
        Self { roots: Vec::new(), extensions: vec![".js".into(), ".mjs".into()], allow_absolute_repo_imports: false }
    }
}

/// How code runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Runtime {
    /// Files run as ES modules.
    #[schema(required)]
    pub esm: bool,
    /// Scripts run in strict mode.
    #[schema(required)]
    pub strict: bool,
    /// There is a `console`.
    #[schema(required)]
    pub console: bool,
    /// What a session's state survives.
    #[schema(required)]
    pub durability: Durability,
}

impl Default for Runtime {
    fn default() -> Self {
        Self { esm: false, strict: false, console: true, durability: Durability::Execution }
    }
}

/// What a session's state survives, as of its last execution.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// Only hibernation: with the daemon the state is lost.
    None,
    /// The death of the daemon at any point: state and history are written before an execution is answered.
    #[default]
    Execution,
    /// The loss of power too: what is written is also flushed to the disk.
    Full,
}

/// The name of a limit, as `details.limit` has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// [`Limits::cpu_ms`]
    CpuMs,
    /// [`Limits::wall_ms`]
    WallMs,
    /// [`Limits::mem_mb`]
    MemMb,
    /// [`Limits::max_events`]
    MaxEvents,
    /// [`Limits::max_output_kb`]
    MaxOutputKb,
}

impl LimitKind {
    /// The field's name in the settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CpuMs => "cpu_ms",
            Self::WallMs => "wall_ms",
            Self::MemMb => "mem_mb",
            Self::MaxEvents => "max_events",
            Self::MaxOutputKb => "max_output_kb",
        }
    }
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Settings that are not acceptable; the message names the field.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingsError {
    /// An unknown key or a value of the wrong type.
    #[error("settings are not acceptable: {0}")]
    Shape(String),
    /// A number outside its range.
    #[error("settings.limits.{limit} must be from {min} to {max}, not {given}")]
    Range {
        /// The limit concerned.
        limit: LimitKind,
        /// What was asked for.
        given: u64,
        /// The least that is accepted.
        min: u64,
        /// The most that is accepted.
        max: u64,
    },
    /// A root that is no folder of the worktree.
    #[error("settings.resolver.roots: {given:?} {why}; name folders of the worktree, such as \"src\" or \".\"")]
    Root {
        /// As it was given.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An extension that no file name ends with.
    #[error("settings.resolver.extensions: {0:?} is no extension; write a dot and what follows it, such as \".js\"")]
    Extension(String),
}

impl Settings {
    /// These settings with `patch` laid over them: objects are merged key by key, everything else replaces.
    ///
    /// # Errors
    /// Unknown keys, wrong types, numbers out of range, roots and extensions that no file can have are refused.
    pub fn merged(&self, patch: &Value) -> Result<Self, SettingsError> {
        let shape = |error: serde_json::Error| SettingsError::Shape(error.to_string());
        let mut document = serde_json::to_value(self).map_err(shape)?;
        merge(&mut document, patch, "settings")?;
        let mut merged: Self = serde_path_to_error::deserialize(document)
            .map_err(|error| SettingsError::Shape(format!("settings.{error}")))?;
        merged.limits.check()?;
        merged.resolver.check()?;
        Ok(merged)
    }
}

impl Limits {
    /// The configured number of one limit.
    #[must_use]
    pub fn get(&self, limit: LimitKind) -> u64 {
        match limit {
            LimitKind::CpuMs => self.cpu_ms,
            LimitKind::WallMs => self.wall_ms,
            LimitKind::MemMb => self.mem_mb,
            LimitKind::MaxEvents => self.max_events,
            LimitKind::MaxOutputKb => self.max_output_kb,
        }
    }

    fn check(&self) -> Result<(), SettingsError> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let ranges = [
            (LimitKind::CpuMs, 1, DAY_MS),
            (LimitKind::WallMs, 1, DAY_MS),
            // Below 4 MiB the language itself does not fit; above 2 GiB a session's addresses end.
            (LimitKind::MemMb, 4, 2048),
            (LimitKind::MaxEvents, 1, 10_000_000),
            (LimitKind::MaxOutputKb, 1, 1 << 20),
        ];
        for (limit, min, max) in ranges {
            let given = self.get(limit);
            if !(min..=max).contains(&given) {
                return Err(SettingsError::Range { limit, given, min, max });
            }
        }
        Ok(())
    }
}

impl Resolver {
    /// Normalises the roots on the way.
    fn check(&mut self) -> Result<(), SettingsError> {
        for root in &mut self.roots {
            let error = |why| SettingsError::Root { given: root.clone(), why };
            if root.is_empty() {
                return Err(error("is empty"));
            }
            *root = normalise(root).map_err(error)?;
        }
        let is_extension = |text: &String| {
            text.len() > 1 && text.starts_with('.') && !text.contains(|c: char| c == '/' || c.is_control())
        };
        match self.extensions.iter().find(|extension| !is_extension(extension)) {
            Some(extension) => Err(SettingsError::Extension(extension.clone())),
            None => Ok(()),
        }
    }
}

/// Objects only onto objects: serde would take an array for one, field by field.
fn merge(document: &mut Value, patch: &Value, path: &str) -> Result<(), SettingsError> {
    match (document, patch) {
        (Value::Object(document), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(document.entry(key.as_str()).or_insert(Value::Null), value, &format!("{path}.{key}"))?;
            }
        }
        (Value::Object(_), _) => return Err(SettingsError::Shape(format!("{path} must be an object"))),
        (document, patch) => *document = patch.clone(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_new_template_has_the_documented_defaults() {
        assert_eq!(
            serde_json::to_value(Settings::default()).unwrap(),
            json!({
                "limits": {"cpu_ms": 5000, "wall_ms": 30000, "mem_mb": 128, "max_events": 1000, "max_output_kb": 512},
                "resolver": {"roots": [], "extensions": [".js", ".mjs"], "allow_absolute_repo_imports": false},
                "runtime": {"esm": false, "strict": false, "console": true, "durability": "execution"},
            })
        );
    }

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let merged = Settings::default().merged(&json!({"limits": {"wall_ms": 250}})).unwrap();
        assert_eq!(merged.limits, Limits { wall_ms: 250, ..Limits::default() });
        assert_eq!(merged.runtime, Runtime::default());
    }

    #[test]
    fn unknown_keys_wrong_types_and_numbers_out_of_range_are_refused() {
        for patch in [
            json!({"limit": {}}),
            json!({"limits": {"wall": 1}}),
            json!({"limits": {"wall_ms": "1"}}),
            json!({"limits": {"wall_ms": -1}}),
            json!({"limits": {"wall_ms": 0}}),
            json!({"limits": {"mem_mb": 1_u64 << 40}}),
            json!({"limits": null}),
            json!({"resolver": {"roots": "src"}}),
            json!({"runtime": {"durability": "sometimes"}}),
            json!({"runtime": {"durability": null}}),
            json!([]),
            json!(7),
        ] {
            assert!(Settings::default().merged(&patch).is_err(), "{patch}");
        }
        let error = Settings::default().merged(&json!({"limits": {"wall_ms": "1"}})).unwrap_err().to_string();
        assert!(error.contains("settings.limits.wall_ms: "), "{error}");
    }

    #[test]
    fn durability_has_three_names_and_older_settings_without_one_mean_execution() {
        for (name, durability) in
            [("none", Durability::None), ("execution", Durability::Execution), ("full", Durability::Full)]
        {
            let merged = Settings::default().merged(&json!({"runtime": {"durability": name}})).unwrap();
            assert_eq!(merged.runtime, Runtime { durability, ..Runtime::default() });
        }
        let stored = r#"{"runtime": {"esm": true, "strict": false, "console": true}}"#;
        let older: Settings = serde_json::from_str(stored).unwrap();
        assert_eq!(older.runtime.durability, Durability::Execution);
    }

    #[test]
    fn the_openapi_document_names_the_ranges_that_are_checked() {
        let schema = serde_json::to_value(<Limits as utoipa::PartialSchema>::schema()).unwrap();
        for (name, range) in schema["properties"].as_object().unwrap() {
            let accepts = |number: u64| Settings::default().merged(&json!({"limits": {name: number}})).is_ok();
            let (min, max) = (range["minimum"].as_u64().unwrap(), range["maximum"].as_u64().unwrap());
            assert!(accepts(min) && accepts(max) && !accepts(min - 1) && !accepts(max + 1), "{name}");
        }
    }

    #[test]
    fn roots_are_folders_of_the_worktree_and_normalised() {
        let merged = |root: &str| Settings::default().merged(&json!({"resolver": {"roots": [root]}}));
        for (given, root) in [("src", "src"), (".", "."), ("./", "."), ("./a//b/./c/", "a/b/c"), ("..a", "..a")] {
            assert_eq!(merged(given).unwrap().resolver.roots, [root]);
        }
        for given in ["", "/", "/src", "..", "src/../..", "a/../b", "a\0"] {
            let error = merged(given).unwrap_err();
            assert!(matches!(&error, SettingsError::Root { given: named, .. } if named == given), "{error}");
        }
    }

    #[test]
    fn extensions_are_a_dot_and_what_follows_it() {
        let merged = |extension: &str| Settings::default().merged(&json!({"resolver": {"extensions": [extension]}}));
        for extension in [".js", ".d.ts", ".é"] {
            assert_eq!(merged(extension).unwrap().resolver.extensions, [extension]);
        }
        for extension in ["", ".", "js", "/.js", ".js/", ".a/b", ".a\0", " .js"] {
            assert_eq!(merged(extension), Err(SettingsError::Extension(extension.into())));
        }
    }
}
