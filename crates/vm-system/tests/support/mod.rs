//! What the tests of the binary stand on.
//!
//! | module | what it holds |
//! |---|---|
//! | `daemon` | a real daemon with a folder of its own |
//! | `http` | answers of the API |
//! | `raw` | requests byte by byte |
//! | `document` | the OpenAPI document, which every answer is compared with |
//! | `binary` | commands, run as a user runs them |
#![allow(dead_code)] // each test binary uses a part of it

pub mod binary;
pub mod daemon;
pub mod document;
pub mod http;
pub mod raw;
