//! How `import` and `require` find files of the worktree.
//!
//! | module | what it holds |
//! |---|---|
//! | [`resolve`] | from a specifier to the path of a file |
//! | `specifier` | what a specifier asks for, and paths relative to a file |
//! | `require` | what `require` is given: a native module, or a file |

mod require;
pub mod resolve;
mod specifier;

pub use require::Found;
pub use resolve::Loader;
