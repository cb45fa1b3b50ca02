//! What capabilities say, read from their configs once and for all.

use std::path::{Component, Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Capability, CapabilityKind, host};

/// What one capability gives or narrows.
#[derive(Clone, PartialEq, Debug)]
pub enum Grant {
    /// Kind `module`: a setting of a native module, whose name is the capability's.
    Module(ModuleGrant),
    /// Kind `global`: a global variable. Config: `{"value": …}`, any JSON, required.
    Global {
        /// The capability's name: an identifier of JavaScript.
        name: String,
        /// What it holds at first.
        value: Value,
    },
    /// Kind `fs`: folders outside the worktree for the module `fs`. Config: `{"roots": ["/srv/data"], "write": false}`.
    Fs {
        /// Absolute, without `..`; required.
        roots: Vec<PathBuf>,
        /// False if not given: reading only.
        write: bool,
    },
    /// Kind `env`: variables of the daemon's environment. Config: `{"allow": ["HOME"]}`.
    Env {
        /// The exact names of variables; required.
        allow: Vec<String>,
    },
    /// Kind `net`: hosts of the network. Config: `{"hosts": ["api.example.com", "*.example.com", "[::1]:8080"]}`.
    Net {
        /// Names or addresses, in lower case, each with an optional port, names with an optional `*.` for everything
        /// below them; required.
        hosts: Vec<String>,
    },
}

/// The native module that a capability of kind `module` is about, and what it says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ModuleGrant {
    /// `fs`. Config: `{}`; what it may reach outside the worktree is for capabilities of kind `fs` to say.
    Fs,
    /// `exec`. Config: `{"allow": ["git"]}`.
    Exec {
        /// The commands that may be run. Every one if not given.
        allow: Option<Vec<String>>,
    },
    /// `database`. Config: `{"read_only": true}`.
    Database {
        /// False if not given.
        read_only: bool,
    },
}

/// A capability that says nothing; the message names the field.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CapabilityError {
    /// The name is none of this kind.
    #[error("name {name:?} {why}")]
    Name {
        /// As it was given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A field of the config is missing, unknown or not acceptable.
    #[error("config.{field} {why}")]
    Config {
        /// The field concerned.
        field: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Capability {
    /// What this capability says, whether it is enabled or not.
    ///
    /// # Errors
    /// Its name or its config is not what [`Grant`] describes for its kind; unknown fields are refused.
    pub fn grant(&self) -> Result<Grant, CapabilityError> {
        let mut config = Config(self.config.clone());
        let grant = match self.kind {
            CapabilityKind::Module => Grant::Module(module(&self.name, &mut config)?),
            CapabilityKind::Global => global(&self.name, &mut config)?,
            CapabilityKind::Fs => fs(&mut config)?,
            CapabilityKind::Net => net(&mut config)?,
            CapabilityKind::Env => env(&mut config)?,
        };
        config.end()?;
        Ok(grant)
    }
}

fn module(name: &str, config: &mut Config) -> Result<ModuleGrant, CapabilityError> {
    match name {
        "fs" => Ok(ModuleGrant::Fs),
        "exec" => {
            let allow: Option<Vec<String>> = config.take("allow", "must be a list of commands, such as [\"git\"]")?;
            let commands = allow.as_deref().unwrap_or_default();
            check(commands, "allow", is_text, "must not have empty commands or ones with control characters")?;
            Ok(ModuleGrant::Exec { allow })
        }
        "database" => {
            let read_only = config.take("read_only", "must be true or false")?.unwrap_or(false);
            Ok(ModuleGrant::Database { read_only })
        }
        _ => Err(CapabilityError::Name { name: name.into(), why: "is not one of fs, exec, database" }),
    }
}

fn global(name: &str, config: &mut Config) -> Result<Grant, CapabilityError> {
    let error = |why| CapabilityError::Name { name: name.into(), why };
    if !is_identifier(name) {
        return Err(error("is no identifier of JavaScript; use letters, digits, _ and $, and no digit first"));
    }
    if RESERVED.split(' ').any(|word| word == name) {
        return Err(error("is reserved by JavaScript; choose another one"));
    }
    Ok(Grant::Global { name: name.into(), value: config.require("value", "may be any JSON")? })
}

fn fs(config: &mut Config) -> Result<Grant, CapabilityError> {
    let roots: Vec<String> = config.require("roots", "must be a list of absolute paths, such as [\"/srv/data\"]")?;
    check(&roots, "roots", is_root, "must be absolute paths without '..' and control characters")?;
    let write = config.take("write", "must be true or false")?.unwrap_or(false);
    Ok(Grant::Fs { roots: roots.into_iter().map(PathBuf::from).collect(), write })
}

fn net(config: &mut Config) -> Result<Grant, CapabilityError> {
    let expected = "must be a list of hosts, such as [\"api.example.com\", \"*.example.com\", \"127.0.0.1:8080\"]";
    let mut hosts: Vec<String> = config.require("hosts", expected)?;
    hosts.iter_mut().for_each(|host| host.make_ascii_lowercase());
    check(&hosts, "hosts", host::is_pattern, expected)?;
    Ok(Grant::Net { hosts })
}

fn env(config: &mut Config) -> Result<Grant, CapabilityError> {
    let allow: Vec<String> = config.require("allow", "must be a list of names of variables, such as [\"HOME\"]")?;
    let is_variable = |name: &str| is_text(name) && !name.contains('=');
    check(&allow, "allow", is_variable, "must be names of variables: not empty, without = and control characters")?;
    Ok(Grant::Env { allow })
}

/// A config whose fields are taken out one by one, so that what is left is unknown.
struct Config(Map<String, Value>);

impl Config {
    /// A field that may be missing, and what it must be otherwise.
    fn take<T: DeserializeOwned>(&mut self, field: &str, expected: &'static str) -> Result<Option<T>, CapabilityError> {
        let decode = |value| serde_json::from_value(value).map_err(|_| unacceptable(field, expected));
        self.0.remove(field).map(decode).transpose()
    }

    /// A field that must be there.
    fn require<T: DeserializeOwned>(&mut self, field: &str, expected: &'static str) -> Result<T, CapabilityError> {
        self.take(field, expected)?.ok_or_else(|| unacceptable(field, "is required"))
    }

    fn end(self) -> Result<(), CapabilityError> {
        match self.0.into_iter().next() {
            Some((field, _)) => Err(unacceptable(&field, "is not known for a capability of this kind and name")),
            None => Ok(()),
        }
    }
}

fn unacceptable(field: &str, why: &'static str) -> CapabilityError {
    CapabilityError::Config { field: field.into(), why }
}

fn check(
    values: &[String],
    field: &str,
    accepts: impl Fn(&str) -> bool,
    expected: &'static str,
) -> Result<(), CapabilityError> {
    if values.iter().all(|value| accepts(value)) { Ok(()) } else { Err(unacceptable(field, expected)) }
}

fn is_text(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}

fn is_root(text: &str) -> bool {
    let path = Path::new(text);
    is_text(text) && path.is_absolute() && path.components().all(|part| part != Component::ParentDir)
}

fn is_identifier(name: &str) -> bool {
    let is_first = |c| c == '$' || c == '_' || unicode_ident::is_xid_start(c);
    let is_later = |c| c == '$' || unicode_ident::is_xid_continue(c);
    name.starts_with(is_first) && name.chars().all(is_later)
}

/// The words that can be no variable, in strict mode and modules too, and the globals that cannot be set.
const RESERVED: &str = "\
    arguments await break case catch class const continue debugger default delete do else enum eval export extends \
    false finally for function if implements import in instanceof interface let new null package private protected \
    public return static super switch this throw true try typeof var void while with yield Infinity NaN undefined";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{CapabilityId, TemplateId};

    fn grant(kind: CapabilityKind, name: &str, config: &Value) -> Result<Grant, CapabilityError> {
        let config = config.as_object().unwrap().clone();
        let (id, vm_id) = (CapabilityId::new(), TemplateId::new());
        Capability { id, vm_id, kind, name: name.into(), enabled: true, config }.grant()
    }

    #[test]
    fn every_documented_config_says_what_is_documented() {
        use CapabilityKind::{Env, Fs, Global, Module, Net};
        let list = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>();
        for (kind, name, config, expected) in [
            (Module, "fs", json!({}), Grant::Module(ModuleGrant::Fs)),
            (Module, "exec", json!({}), Grant::Module(ModuleGrant::Exec { allow: None })),
            (
                Module,
                "exec",
                json!({"allow": ["git"]}),
                Grant::Module(ModuleGrant::Exec { allow: Some(list(&["git"])) }),
            ),
            (Module, "exec", json!({"allow": []}), Grant::Module(ModuleGrant::Exec { allow: Some(vec![]) })),
            (Module, "database", json!({}), Grant::Module(ModuleGrant::Database { read_only: false })),
            (Module, "database", json!({"read_only": true}), Grant::Module(ModuleGrant::Database { read_only: true })),
            (Global, "größe$_1", json!({"value": null}), Grant::Global { name: "größe$_1".into(), value: Value::Null }),
            (Global, "a", json!({"value": {"b": [1]}}), Grant::Global { name: "a".into(), value: json!({"b": [1]}) }),
            (Fs, "any name", json!({"roots": ["/a"]}), Grant::Fs { roots: vec!["/a".into()], write: false }),
            (
                Fs,
                "x",
                json!({"roots": ["/a", "/b c"], "write": true}),
                Grant::Fs { roots: vec!["/a".into(), "/b c".into()], write: true },
            ),
            (Env, "x", json!({"allow": ["HOME", "a b"]}), Grant::Env { allow: list(&["HOME", "a b"]) }),
            (Net, "x", json!({"hosts": ["A.example:1"]}), Grant::Net { hosts: list(&["a.example:1"]) }),
        ] {
            assert_eq!(grant(kind, name, &config), Ok(expected), "{kind} {name} {config}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_name_of_the_field() {
        use CapabilityKind::{Env, Fs, Global, Module, Net};
        for (kind, name, config, field) in [
            (Module, "net", json!({}), "name"),
            (Module, "FS", json!({}), "name"),
            (Module, "fs", json!({"roots": ["/a"]}), "config.roots"),
            (Module, "exec", json!({"allow": "git"}), "config.allow"),
            (Module, "exec", json!({"allow": null}), "config.allow"),
            (Module, "exec", json!({"allow": ["git", ""]}), "config.allow"),
            (Module, "exec", json!({"allow": ["a\0"]}), "config.allow"),
            (Module, "database", json!({"read_only": 1}), "config.read_only"),
            (Module, "database", json!({"readonly": true}), "config.readonly"),
            (Global, "a", json!({}), "config.value"),
            (Global, "a", json!({"value": 1, "writable": true}), "config.writable"),
            (Global, "1a", json!({"value": 1}), "name"),
            (Global, "a-b", json!({"value": 1}), "name"),
            (Global, "a.b", json!({"value": 1}), "name"),
            (Global, "class", json!({"value": 1}), "name"),
            (Global, "undefined", json!({"value": 1}), "name"),
            (Fs, "x", json!({}), "config.roots"),
            (Fs, "x", json!({"roots": "/a"}), "config.roots"),
            (Fs, "x", json!({"roots": ["a"]}), "config.roots"),
            (Fs, "x", json!({"roots": ["/a/../b"]}), "config.roots"),
            (Fs, "x", json!({"roots": ["/a\0"]}), "config.roots"),
            (Fs, "x", json!({"roots": [], "write": "yes"}), "config.write"),
            (Env, "x", json!({}), "config.allow"),
            (Env, "x", json!({"allow": ["A=B"]}), "config.allow"),
            (Env, "x", json!({"allow": [1]}), "config.allow"),
            (Net, "x", json!({}), "config.hosts"),
            (Net, "x", json!({"hosts": ["http://a"]}), "config.hosts"),
        ] {
            let message = grant(kind, name, &config).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{field} ")), "{kind} {name} {config}: {message}");
        }
    }
}
