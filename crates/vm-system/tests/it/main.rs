//! The real binary from outside: one daemon per test, spoken to over HTTP and through the command line.
//!
//! | module | what it tests |
//! |---|---|
//! | `walk` | the founding document's walk, command by command |
//! | `api_requests` | what holds for every route: request ids, strict bodies, unknown routes |
//! | `api_templates`, `api_startup_files`, `api_sessions` | their routes, and every error that the contract names |
//! | `api_executions`, `api_files`, `api_limits` | the same for executions: in general, of files, at a limit |
//! | `cli`, `cli_failures` | lines, `--json`, variables; exit codes and what goes to standard error |
//! | `access`, `access_token` | who may call: hosts and pages; tokens, and listening beyond this machine |
//! | `connections` | clients that are many, slow, or speak no HTTP |
//! | `serve` | the daemon's life: starting, failing to start, signals, restarts |
//! | `house` | which crate may import which |
//! | `daemon`, `http`, `raw`, `binary` | what the tests stand on |
#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod access;
mod access_token;
mod api_executions;
mod api_files;
mod api_limits;
mod api_requests;
mod api_sessions;
mod api_startup_files;
mod api_templates;
mod binary;
mod cli;
mod cli_failures;
mod connections;
mod daemon;
mod house;
mod http;
mod raw;
mod serve;
mod walk;
