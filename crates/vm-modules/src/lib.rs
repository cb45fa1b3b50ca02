//! What scripts may touch of the host.
//!
//! | module | what it holds |
//! |---|---|
//! | [`catalog`] | the native modules that a template can be given |
//! | [`host_calls`] | every function of the host that scripts can call, by name |
//! | [`libraries`] | third-party JavaScript: the catalog, the cache folder, and filling it |
//! | [`loader`] | how `import` and `require` find files of the worktree |
//! | [`natives`] | the modules `fs`, `exec` and `database`, deny by default |
//! | [`net`] | `fetch`: requests to the hosts that capabilities name |
//! | [`web`] | what the web platform's globals leave to the host |
//! | [`worktree`] | a session's folder: files are opened beneath it by the kernel, never by comparing strings |

pub mod catalog;
pub mod host_calls;
pub mod libraries;
pub mod loader;
pub mod natives;
pub mod net;
pub mod web;
pub mod worktree;

pub use host_calls::HostCalls;
pub use loader::Loader;
pub use natives::{Bounds, DatabaseGrant, ExecGrant, FsGrant, FsRoot, GrantError, Grants, NativeError, Natives};
pub use net::Net;
pub use worktree::{Worktree, WorktreeError, normalise};
