//! The binary `vm-system`: the command line, and the daemon's life.
//!
//! | module | what it does |
//! |---|---|
//! | `cli` | what can be typed: the global flags and the commands, every flag with its environment variable |
//! | `serve` | `serve`: the daemon, from binding its address to its last signal |
//! | `template` | `template …`: templates and their startup files |
//! | `template_capabilities` | `template add-capability` and the like |
//! | `template_extensions` | `template add-module`, `template add-library` and the like, and their catalogs |
//! | `session` | `session …` |
//! | `exec` | `exec …` |
//! | `ops` | `ops …` |
//! | `libs` | `libs …` |
//! | `help` | `help`: the topics of `docs/`, and what the commands say of themselves |
//! | `completions` | `completions`: what a shell needs to complete commands and flags |
//! | `progress` | how far downloads are, on standard error |
//! | `retain` | what `serve --retain` accepts |
//! | `script_input` | what `exec` accepts as code, arguments and environment |
//! | `output` | the one way to standard output: the API's JSON, or lines that are safe to show |
//! | `table` | tables: aligned, and on a terminal no wider than it |
//! | `terminal` | what a stream's terminal can do, if it is one |
//! | `logging` | the daemon's log on standard error |
//! | `error` | why a command failed |
//!
//! Every command but `serve`, `libs`, `help` and `completions` is a client of the daemon: it makes a call and prints the answer.

mod cli;
mod completions;
mod error;
mod exec;
mod help;
mod libs;
mod logging;
mod ops;
mod output;
mod progress;
mod retain;
mod script_input;
mod serve;
mod session;
mod table;
mod template;
mod template_capabilities;
mod template_extensions;
mod terminal;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use crate::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::read().run().unwrap_or_else(|error| {
        // If even standard error is gone, the exit code still says it.
        let _ = writeln!(io::stderr(), "Error: {}", output::safe(&error.to_string()));
        ExitCode::FAILURE
    })
}
