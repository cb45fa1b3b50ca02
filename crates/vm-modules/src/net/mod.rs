//! `fetch`: requests to the hosts that a session's capabilities name.
//!
//! | module | what it holds |
//! |---|---|
//! | `hosts` | which hosts and addresses may be reached |
//! | `request` | one request, from what the script gave to what it gets |
//! | [`fetch`] | a session's requests on their way |

pub mod fetch;
mod hosts;
mod request;

pub use fetch::Net;
