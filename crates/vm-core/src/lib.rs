//! Templates, sessions, executions: what the system means. No HTTP, no SQL, no wasm.
//!
//! | module | what it holds |
//! |---|---|
//! | [`core`](mod@crate::core) | [`Core`]: opens the database and the engine, and shuts down |
//! | [`templates`] | what sessions are stamped from |
//! | [`capabilities`], [`extensions`] | the capabilities of templates, their modules and libraries |
//! | [`catalog`] | what templates can be configured with |
//! | [`sessions`] | creation with its startup files, and closing |
//! | [`executions`] | running code, and reading what it did |
//! | [`executor`] | the threads on which everything runs, and which anything may block |
//! | `amends` | what the database has to be told and did not take |
//! | `ceiling` | how much memory the whole daemon may have |
//! | `hibernation` | how idle sessions leave the memory, and come back |
//! | `host` | a session's functions of the host, as its engine and its owner share them |
//! | `housekeeping` | what is not to be kept any longer is deleted |
//! | `images` | the memory that libraries and startup files lead to, made once |
//! | `libraries` | third-party code that runs before a session's startup files |
//! | `live` | a session that is in memory, and what runs in it |
//! | `live_sessions` | all of them |
//! | `machine` | a session's machine, and what is to be stored of it |
//! | `policy` | what a template lets its sessions do |
//! | `program` | what an execution is to its engine, and the record that it leaves |
//! | `slots` | how many executions compute at once |
//! | `startup` | a session's start, where no image has all of it behind it |
//! | `task` | one execution from its first turn to its record |
//! | [`error`] | everything that can go wrong |
//!
//! It needs no daemon:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use vm_core::{Config, Core, Executor, Retention};
//! use vm_model::{NewSession, NewTemplate, ReplRequest};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().to_path_buf();
//! let executor = Executor::new()?;
//! executor.clone().block_on(async move {
//!     let config = Config {
//!         database: path.join("vm.db"),
//!         code_cache: path.join("code"),
//!         library_cache: path.join("libraries"),
//!         parallel: None,
//!         max_memory: None,
//!         hibernate_after: Duration::from_secs(300),
//!         retention: Retention::default(),
//!     };
//!     let core = Core::open(config, &executor).await?;
//!     let template = core.templates().create(NewTemplate { name: "plain".into(), ..NewTemplate::default() }).await?;
//!     let session = core
//!         .sessions()
//!         .create(NewSession {
//!             template_id: template.id.to_string(),
//!             workspace_id: "docs".into(),
//!             base_commit_oid: "none".into(),
//!             worktree_path: path,
//!         })
//!         .await?;
//!     let run = |input: &str| ReplRequest { session_id: session.id.to_string(), input: input.into() };
//!     core.executions().repl(run("var seed = 40")).await?;
//!     let execution = core.executions().repl(run("seed + 2")).await?;
//!     assert_eq!(execution.result.map(|value| value.preview).as_deref(), Some("42"));
//!     core.shutdown().await;
//!     Ok::<_, vm_core::Error>(())
//! })??;
//! # Ok(())
//! # }
//! ```

mod amends;
pub mod capabilities;
pub mod catalog;
mod ceiling;
pub mod core;
pub mod error;
pub mod executions;
pub mod executor;
pub mod extensions;
mod hibernation;
mod host;
mod housekeeping;
mod images;
mod libraries;
mod live;
mod live_sessions;
mod machine;
mod policy;
mod program;
pub mod sessions;
mod slots;
mod startup;
mod task;
pub mod templates;

pub use crate::core::{Config, Core, Retention};
pub use error::Error;
pub use executions::Executions;
pub use executor::Executor;
pub use sessions::Sessions;
pub use templates::Templates;
pub use vm_modules::libraries::LibraryError;
pub use vm_store::StoreError;
