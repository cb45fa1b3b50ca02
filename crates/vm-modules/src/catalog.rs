//! The native modules that a template can be given.

/// A native module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Module {
    /// What scripts `require`.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub description: &'static str,
    /// The names of its functions.
    pub functions: &'static [&'static str],
}

/// All of them.
pub const CATALOG: [Module; 3] = [
    Module {
        name: "database",
        description: "SQLite databases in the worktree.",
        functions: &["configure", "query", "exec", "close"],
    },
    Module {
        name: "exec",
        description: "Commands of the host, run in the worktree, with their output as a string.",
        functions: &["run"],
    },
    Module {
        name: "fs",
        description: "Files of the worktree, and of folders that a capability of kind fs names.",
        functions: &[
            "readFileSync",
            "writeFileSync",
            "appendFileSync",
            "existsSync",
            "readdirSync",
            "mkdirSync",
            "statSync",
            "rmSync",
        ],
    },
];

/// Why a name is no module; the message says what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ModuleNameError {
    /// The language has it.
    #[error("{0:?} is part of JavaScript: it is always there, in every session, and needs no module")]
    BuiltIn(String),
    /// Nothing has it.
    #[error("{0:?} is no module; there are database, exec and fs")]
    Unknown(String),
}

/// The module of this name, in any case.
///
/// # Errors
/// There is none; a global of the language has an error of its own.
pub fn find(name: &str) -> Result<&'static Module, ModuleNameError> {
    let is_named = |other: &str| other.eq_ignore_ascii_case(name);
    if let Some(module) = CATALOG.iter().find(|module| is_named(module.name)) {
        return Ok(module);
    }
    let is_built_in = BUILT_INS.split(' ').any(is_named);
    Err(if is_built_in { ModuleNameError::BuiltIn(name.into()) } else { ModuleNameError::Unknown(name.into()) })
}

/// The globals of every session: those of the language, and those that hosts of JavaScript add.
const BUILT_INS: &str = "\
    AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error \
    EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array \
    Int8Array Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set \
    SharedArrayBuffer String Symbol SyntaxError TextDecoder TextEncoder TypeError URIError URL URLSearchParams \
    Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet atob btoa clearInterval \
    clearTimeout console crypto decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis \
    isFinite isNaN parseFloat parseInt performance queueMicrotask setInterval setTimeout structuredClone undefined \
    unescape";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_found_in_any_case() {
        for module in &CATALOG {
            assert_eq!(find(module.name), Ok(module));
            assert_eq!(find(&module.name.to_uppercase()), Ok(module));
        }
    }

    #[test]
    fn a_built_in_is_told_from_a_mistake() {
        for name in ["JSON", "json", "Math", "date", "Promise", "console", "settimeout"] {
            assert_eq!(find(name), Err(ModuleNameError::BuiltIn(name.into())));
        }
        for name in ["", "net", "databases", "fs "] {
            assert_eq!(find(name), Err(ModuleNameError::Unknown(name.into())));
        }
    }

    #[test]
    fn the_refusal_lists_every_module() {
        let message = find("net").unwrap_err().to_string();
        assert!(CATALOG.iter().all(|module| message.contains(module.name)), "{message}");
    }
}
