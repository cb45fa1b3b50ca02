//! The engine: JavaScript in a machine that can be stamped, stopped and set back.
//!
//! An instance is one WebAssembly instance of QuickJS-NG, and its whole JavaScript world is one linear memory. From that
//! come sessions that are stamped from an image, an end for every script, and a way back to the state before it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`engine`] | the [`Engine`] and [`Instance`] traits: all that the floors above see |
//! | [`run`] | [`Run`]: one execution; collects its events and carries the wish to stop it |
//! | `turn` | code on a thread: where to reach it, and how much it has computed |
//! | `watchdog` | the thread that ends executions at their limits of time |
//! | `cpu` | the CPU time and the priority of a thread |
//! | [`quickjs`] | the engine itself: guest, compiled code, host functions, instances |
//! | `memory` | linear memories: mappings, images, checkpoints, and finding what changed. All `unsafe` but one block is here |
//! | [`error`] | why an engine or an instance could not be made |

mod cpu;
pub mod engine;
pub mod error;
mod memory;
pub mod quickjs;
pub mod run;
mod turn;
mod watchdog;

pub use cpu::is_lowered;
pub use engine::{Engine, HostFunctions, Image, Instance, Mode, Origin, Outcome, Program, ProgramKind, Setup, Step};
pub use error::EngineError;
pub use quickjs::QuickJs;
pub use run::{Run, StopReason};
