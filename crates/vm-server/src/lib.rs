//! HTTP: the routes of `/api/v1`, what is checked before a call reaches the core, and how its errors look from outside.
//!
//! | module | what it holds |
//! |---|---|
//! | [`serve`](mod@serve) | the server's life: accepting, and an orderly end |
//! | `routes` | one file per kind of thing; each handler decodes, calls the core, encodes |
//! | `request` | strict decoding of bodies, ids and query parameters |
//! | `openapi` | the document of all routes |
//! | `errors` | the one table from error to status, code and details |
//! | `linger` | what is left of a body that was not read to its end |
//! | `observe` | request ids and the log line of each request |

mod errors;
mod linger;
mod observe;
mod openapi;
mod request;
mod routes;
pub mod serve;

pub use openapi::openapi;
pub use routes::router;
pub use serve::serve;
