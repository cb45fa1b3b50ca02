//! The real binary from outside: one daemon per test, spoken to over HTTP and through the command line. What the contract says
//! word for word is in the folder `contract` beside this one; attempts to leave the worktree are in `confinement`, and what
//! breaks around the daemon is in `faults`.
//!
//! | module | what it tests |
//! |---|---|
//! | `api_template_updates`, `api_startup_files` | their routes, and every error that the contract names |
//! | `api_capabilities`, `api_extensions`, `api_catalog` | the same for what templates are made of |
//! | `api_files` | the same for executions of files |
//! | `cli_templates` | the commands that change templates |
//! | `cli`, `cli_failures` | lines, `--json`, variables; exit codes and what goes to standard error |
//! | `libs`, `libs_cdn` | the library cache: what is in it, and filling it through npm and from a CDN |
//! | `scripts_modules`, `scripts_web` | what scripts see: `import` and `require`, the web's globals |
//! | `scripts_capabilities`, `scripts_libraries` | the same where a template grants it |
//! | `access`, `access_token` | who may call: hosts and pages; tokens, and listening beyond this machine |
//! | `any_input` | whatever comes in is answered as documented |
//! | `fairness` | many executions at once: who waits for whom, and when there is no room |
//! | `serve` | the daemon's life: starting, failing to start, signals, restarts |
//! | `help`, `terminal` | topics and completions; what differs on a terminal |
//! | `docs` | every command of the help topics and of the README, run as it stands |
//! | `openapi`, `typescript` | the OpenAPI document: that it is served and whole; a validator and a generated client |
//! | `house` | which crate may import which |
//! | `cdn`, `pty` | a server and a terminal that the tests own |
//! | `support` | what the tests stand on |
#![allow(clippy::unwrap_used)] // clippy.toml allows it in test functions, not in their helpers

mod access;
mod access_token;
mod any_input;
mod api_capabilities;
mod api_catalog;
mod api_extensions;
mod api_files;
mod api_startup_files;
mod api_template_updates;
mod cdn;
mod cli;
mod cli_failures;
mod cli_templates;
mod docs;
mod fairness;
mod help;
mod house;
mod libs;
mod libs_cdn;
mod openapi;
mod pty;
mod scripts_capabilities;
mod scripts_libraries;
mod scripts_modules;
mod scripts_web;
mod serve;
mod terminal;
mod typescript;

#[path = "../support/mod.rs"]
mod support;

use support::{binary, daemon, document, http, raw};
