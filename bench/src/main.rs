//! What vm-system's speed is, in one run: `make bench`.
//!
//! Absolute times mean little on a shared machine, so each line also says its ratio to something measured beside it: the
//! floor (`GET /health` over the same kind of connection), or native QuickJS-NG of the same version.
//!
//! | module | what it measures |
//! |---|---|
//! | `service` | the daemon over HTTP: floor, executions, session creation, throughput |
//! | `stamp` | a session's instance from the image, inside the process |
//! | `compute` | the interpreter against native QuickJS-NG |
//! | `http`, `stats` | the load generator's connection, and percentiles |

mod compute;
mod http;
mod service;
mod stamp;
mod stats;

use std::{error::Error, path::PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let binary = PathBuf::from(std::env::args().nth(1).ok_or("usage: vm-bench PATH-OF-VM-SYSTEM")?);
    let folder = tempfile::tempdir()?;
    println!("{:44} {:>12} {:>12}  ratio", "what", "p50", "p99");
    service::measure(&binary, folder.path())?;
    stamp::measure(folder.path())?;
    compute::measure(folder.path())
}
