//! Typed REST client for a vm-system daemon.
//!
//! | module | what it does |
//! |---|---|
//! | `client` | [`Client`]: where the daemon is, and the one way in which every call is made and its answer read |
//! | `routes` | one method per route of the API |
//! | `error` | [`ClientError`]: what can go wrong, with a message for the person who has to act |
//!
//! ```no_run
//! use vm_client::Client;
//! use vm_model::ReplRequest;
//!
//! # async fn example() -> Result<(), vm_client::ClientError> {
//! let client = Client::new("http://127.0.0.1:3210", None)?;
//! for session in client.sessions(&Default::default()).await? {
//!     let request = ReplRequest { session_id: session.id.to_string(), input: "1 + 1".into() };
//!     println!("{}: {:?}", session.id, client.repl(&request).await?.result);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Ids are taken as anything that can be displayed: a typed id, or text that a user typed. It is the daemon that
//! judges them, so that every client says the same about a bad one.

mod client;
mod error;
mod routes;

pub use client::Client;
pub use error::ClientError;
