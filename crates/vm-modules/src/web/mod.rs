//! What the web platform's globals leave to the host, because well-kept implementations are in Rust.
//!
//! | module | what it holds |
//! |---|---|
//! | [`url`] | parsing and changing URLs, and queries |
//! | [`encoding`] | from bytes to text |

pub mod encoding;
pub mod url;
