//! Third-party JavaScript that sessions begin with.
//!
//! | module | what it holds |
//! |---|---|
//! | [`catalog`] | the libraries that a template can name without a version |
//! | [`name`] | what a library may be called, and the file that a name means |

pub mod catalog;
pub mod name;

pub use catalog::{CATALOG, Library};
pub use name::{LibraryNameError, file_name};
