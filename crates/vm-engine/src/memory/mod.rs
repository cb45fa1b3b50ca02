//! Linear memories, as bytes that can be mapped, compared, kept and set back.
//!
//! | module | what it holds |
//! |---|---|
//! | `mapping` | one memory: 4 GiB of addresses, its accessible part, and the lock that guards it |
//! | `image` | a memory's content in a sealed memfd, from which mappings are made copy-on-write |
//! | `creator` | hands prepared mappings to wasmtime |
//! | `changes` | which pages of a mapping have been written |
//! | `userfault` | has the kernel fill pages, and watch for writes to protected ones |
//! | `checkpoint` | what a mapping held at the end of the last execution, as differences from its image |
//! | `kept` | one page of that |
//! | `delta` | what two states of a memory differ in, as bytes to be stored |
//! | `difference` | what two pages differ in |

// The one place for it: each block gives its reason.
#![allow(unsafe_code)]

mod changes;
mod checkpoint;
mod creator;
mod delta;
mod difference;
mod image;
mod kept;
mod mapping;
mod userfault;

pub(crate) use changes::Written;
pub(crate) use checkpoint::Checkpoint;
pub(crate) use creator::{Creator, hand_over};
pub(crate) use delta::{Damaged, Delta, Reader};
pub use image::Image;
pub(crate) use mapping::{GUARD, Mapping};

/// The size of a page, in bytes: of the kernel's on x86-64, and a multiple or a part of it elsewhere.
pub(crate) const PAGE: usize = 4096;
