//! The threads of SQLite, which can open nothing but the worktree's files and its own temporary ones.
//!
//! SQLite opens files by their path, and whoever may rename the worktree's folders can put a symlink in the place of one
//! after `location` has looked. So the kernel judges what SQLite opens, by where it really is: Landlock, which holds for a
//! thread, and for good. Therefore every call has a thread of its own.
//!
//! A kernel without Landlock (Linux before 5.13, or built or started without it) does not judge. There, what `location` says
//! is all there is.

use std::{os::fd::OwnedFd, panic, thread};

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, PathBeneath, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    RulesetError, make_bitflags,
};

use super::{super::NativeError, temporary};
use crate::Worktree;

/// SQLite calls itself for each level of an expression. Views and computed columns put expressions into each other: within
/// the limits of `open`, to 40,000 levels, each of which takes less than 800 bytes. Only what is used of it costs memory.
const STACK: usize = 64 << 20;

/// What is refused beyond the rules: everything that this version of Landlock knows. An older kernel refuses what it knows.
const KNOWN: ABI = ABI::V7;

const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
const WRITE: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{ReadFile | ReadDir | WriteFile | Truncate | MakeReg | RemoveFile});

/// Runs something with SQLite.
///
/// # Errors
/// No thread can be started or confined, or there is no folder for temporary files.
pub(super) fn run<T: Send>(
    worktree: &Worktree,
    is_read_only: bool,
    work: impl FnOnce() -> T + Send,
) -> Result<T, NativeError> {
    let failed = |error: &dyn std::error::Error| {
        NativeError::new("ERR_INTERNAL", format!("the database has no confined thread to work on: {error}"))
    };
    let temporary = temporary::folder()?;
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("database".into()).stack_size(STACK);
        let thread = builder.spawn_scoped(scope, || {
            confine(worktree, temporary, is_read_only).map_err(|error| failed(&error))?;
            Ok(work())
        });
        thread.map_err(|error| failed(&error))?.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
    })
}

/// From here on for the calling thread.
fn confine(worktree: &Worktree, temporary: &OwnedFd, is_read_only: bool) -> Result<(), RulesetError> {
    let access = if is_read_only { READ } else { WRITE };
    Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .create()?
        .add_rule(PathBeneath::new(worktree.folder(), access))?
        .add_rule(PathBeneath::new(temporary, WRITE))?
        .restrict_self()
        .map(drop)
}
