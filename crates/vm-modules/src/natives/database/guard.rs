//! Which SQL is refused: what leads to other files, and what changes how SQLite treats files and memory. SQLite asks for
//! every part of every statement, before it runs.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rusqlite::hooks::{AuthAction, Authorization};

use super::super::NativeError;

/// They describe a schema, and most of them take the name of a table or index.
const DESCRIBING: [&str; 15] = [
    "collation_list",
    "compile_options",
    "database_list",
    "foreign_key_check",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "module_list",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// They set how statements work, or what the database says about itself.
const SETTINGS: [&str; 14] = [
    "analysis_limit",
    "application_id",
    "automatic_index",
    "case_sensitive_like",
    "defer_foreign_keys",
    "foreign_keys",
    "full_column_names",
    "ignore_check_constraints",
    "optimize",
    "recursive_triggers",
    "reverse_unordered_selects",
    "short_column_names",
    "synchronous",
    "user_version",
];

/// They may be asked for, but not set.
const READABLE: [&str; 17] = [
    "auto_vacuum",
    "busy_timeout",
    "cache_size",
    "cell_size_check",
    "data_version",
    "encoding",
    "freelist_count",
    "journal_mode",
    "locking_mode",
    "max_page_count",
    "mmap_size",
    "page_count",
    "page_size",
    "query_only",
    "schema_version",
    "secure_delete",
    "temp_store",
];

/// `fts3_tokenizer` takes addresses of code.
const FUNCTIONS: [&str; 2] = ["load_extension", "fts3_tokenizer"];

/// The guard of one connection.
#[derive(Clone, Default)]
pub(super) struct Guard {
    /// Why the last statement was refused.
    refusal: Arc<Mutex<Option<String>>>,
    /// Whether the statement is the module's own.
    is_suspended: Arc<AtomicBool>,
}

impl Guard {
    pub fn judge(&self, action: &AuthAction<'_>) -> Authorization {
        let refusal = match action {
            _ if self.is_suspended.load(Ordering::Relaxed) => None,
            // what VACUUM does, and a database that SQLite keeps in a nameless file
            AuthAction::Attach { filename: "" } => None,
            AuthAction::Attach { filename } => Some(format!(
                "the database {filename:?} cannot be opened here; ATTACH of a file of the worktree has to be a call of its own, \
                 and VACUUM INTO is not possible"
            )),
            AuthAction::Pragma { pragma_name, pragma_value } => refuse_pragma(pragma_name, pragma_value.is_some()),
            AuthAction::Function { function_name } if is_in(&FUNCTIONS, function_name) => {
                Some(format!("the function {function_name} is not available"))
            }
            AuthAction::Unknown { .. } => Some(
                "a database can be attached only by a name that is written in the statement, in a call of its own"
                    .into(),
            ),
            _ => None,
        };
        if refusal.is_none() {
            return Authorization::Allow;
        }
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
        Authorization::Deny
    }

    /// For the module's own statements.
    pub fn suspend<T>(&self, run: impl FnOnce() -> T) -> T {
        self.is_suspended.store(true, Ordering::Relaxed);
        let result = run();
        self.is_suspended.store(false, Ordering::Relaxed);
        result
    }

    /// Says why a statement was refused, where SQLite only says that it was.
    pub fn explain(&self, error: NativeError) -> NativeError {
        match self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(refusal) if error.code == "SQLITE_AUTH" => {
                NativeError { message: format!("{}: {refusal}", error.message), ..error }
            }
            _ => error,
        }
    }
}

fn refuse_pragma(name: &str, has_value: bool) -> Option<String> {
    if is_in(&DESCRIBING, name) || is_in(&SETTINGS, name) || (!has_value && is_in(&READABLE, name)) {
        return None;
    }
    let why = if is_in(&READABLE, name) { "can be read, but not set" } else { "is not available" };
    Some(format!("PRAGMA {name} {why}: it could change how files and memory are used"))
}

fn is_in(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}
