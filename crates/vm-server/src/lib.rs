//! HTTP: the routes of `/api/v1`, what is checked before a call reaches the core, and how its errors look from outside.
//!
//! | module | what it holds |
//! |---|---|
//! | [`serve`](mod@serve) | the server's life, and its orderly end |
//! | `routes` | one file per kind of thing; each handler decodes, calls the core, encodes |
//! | `openapi` | the document of all routes |
//! | `access` | who may call: hosts, pages, tokens |
//! | `cors` | what browsers are told about the pages that may call |
//! | `query` | query parameters, and that there are none where nobody looks at them |
//! | `request` | bodies, and ids in paths |
//! | [`decode`], `unique_keys` | strict decoding, and that no key of a JSON object comes twice |
//! | `errors` | the one table from error to status, code and details |
//! | `connections` | how many there are, and how long a client may take |
//! | `malformed` | an answer for what is no HTTP |
//! | `linger` | what is left of a body that was not read to its end |
//! | `observe` | request ids and the log line of each request |

mod access;
mod connections;
mod cors;
pub mod decode;
mod errors;
mod linger;
mod malformed;
mod observe;
mod openapi;
mod query;
mod request;
mod routes;
pub mod serve;
mod unique_keys;

pub use access::{Access, AccessError};
pub use cors::Origin;
pub use errors::ApiError;
pub use openapi::openapi;
pub use serve::serve;
