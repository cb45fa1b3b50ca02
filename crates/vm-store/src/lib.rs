//! SQLite: schema, migrations, queries. Nothing outside this crate knows SQL.
//!
//! | module | what it does |
//! |---|---|
//! | `store` | [`Store`]: one writer, a few readers, and the transaction that every operation runs in |
//! | `known_templates` | templates as they were last read |
//! | `shared_templates` | templates as sessions keep them |
//! | `templates` | the operations on templates and their startup files |
//! | `capabilities` | the operations on the capabilities of templates |
//! | `sessions` | the operations on sessions |
//! | `executions` | the operations on executions and their events |
//! | `events` | how events are stored |
//! | `state` | the operations on the state of sessions: [`State`], and the [`Change`]s that lead to it |
//! | `images` | the operations on images: the memory that sessions are stamped from |
//! | `recovery` | what is left of sessions and executions when a daemon starts |
//! | `usage` | how much is stored |
//! | `gc` | deletes what is not to be kept any longer, and makes the file smaller |
//! | `open` | finds, locks and configures the database file |
//! | `file` | whether the file is still the one that was opened, and whole |
//! | `schema` | says whose file it is, and brings its tables up to date |
//! | `readers` | the connections that read beside the writer |
//! | `writer` | the connection that writes, and the transactions that callers share |
//! | `steps` | what is stored together, as bytes |
//! | `redo` | what is acknowledged before it is in the database, in a file beside it |
//! | `wal` | checkpoints of the write-ahead log, on a thread of their own |
//! | `query` | running a `SELECT`, and naming the column that cannot be read |
//! | `checksum` | how damage to what nobody else can read is noticed |
//! | `value` | how JSON documents and names are stored |
//! | `error` | [`StoreError`] |
//!
//! Every call blocks, for microseconds as a rule; async callers run it on a thread where that is allowed. Each
//! operation happens as a whole or not at all, and a read sees one moment.
//!
//! ```
//! use vm_model::SessionFilter;
//! use vm_store::Store;
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::open(&folder.path().join("vm-system.db"))?;
//! assert!(store.sessions(&SessionFilter::default())?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod capabilities;
mod checksum;
mod error;
mod events;
mod executions;
mod file;
mod gc;
mod images;
mod known_templates;
mod open;
mod query;
mod readers;
mod recovery;
mod redo;
mod schema;
mod sessions;
mod shared_templates;
mod state;
mod steps;
mod store;
mod templates;
mod usage;
mod value;
mod wal;
mod writer;

pub use error::{AlreadyExists, StoreError};
pub use gc::Retention;
pub use images::{ImageId, NewImage, StoredImage};
pub use recovery::Recovered;
pub use state::{Change, Effect, State, StoredSession};
pub use store::Store;
pub use usage::StoredBytes;
