//! The sections, in the order in which they are measured. A new one is a file here and a line in [`SECTIONS`].
//!
//! | section | its lines |
//! |---|---|
//! | `speed` | calls over HTTP against the floor, throughput, much output |
//! | `create` | making sessions, and stamping in this process |
//! | `start` | the daemon's start |
//! | `size` | the binary, and what an execution takes in the database |
//! | `memory` | what a live session takes |
//! | `durability` | what it costs that sessions do not die |
//! | `limits` | how long after their limit hostile scripts end |
//! | `neighbours` | what one session's work does to another's answers |
//! | `compute` | the interpreter against other engines |
//! | `contexts` | contexts of other engines: making, keeping, stopping |
//! | `services` | the daemon against a service made of Node |
//! | `growth` | what must not cost more when there is more of it |

mod compute;
mod contexts;
mod create;
mod durability;
mod growth;
mod limits;
mod memory;
mod neighbours;
mod services;
pub mod size;
mod speed;
mod start;

use crate::{Result, bench::Bench};

type Section = (&'static str, fn(&mut Bench) -> Result<()>);

pub const SECTIONS: [Section; 12] = [
    ("speed", speed::measure),
    ("create", create::measure),
    ("start", start::measure),
    ("size", size::measure),
    ("memory", memory::measure),
    ("durability", durability::measure),
    ("limits", limits::measure),
    ("neighbours", neighbours::measure),
    ("compute", compute::measure),
    ("contexts", contexts::measure),
    ("services", services::measure),
    ("growth", growth::measure),
];
