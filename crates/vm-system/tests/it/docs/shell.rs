//! Running the commands of a document.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::Path,
    process::{self, Command},
    sync::atomic::{AtomicU8, Ordering},
};

use super::Block;
use crate::{binary, daemon::CODE_CACHE, libs};

/// Where documents say that the daemon is.
const ADDRESS: &str = "127.0.0.1:3210";

/// What each `bash` block has printed, to standard output and to standard error.
#[track_caller]
pub fn run(path: &str, document: &str, blocks: &[Block<'_>]) -> Vec<String> {
    let (folder, output) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    if document.contains("libs download") {
        fill_library_cache(folder.path());
    }
    let address = own_address();
    let blocks: Vec<_> = blocks.iter().filter(|block| block.language == "bash").collect();
    let mut script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n".to_owned();
    for block in &blocks {
        let file = output.path().join(block.line.to_string());
        fs::write(&file, block.content.replace(ADDRESS, &address)).unwrap();
        let run = format!("source {0} >{0}.out 2>&1", file.display());
        let run = if block.fails { format!("set +e; {run}; [ $? -ne 0 ] || exit 1; set -e") } else { run };
        writeln!(script, "{run}").unwrap();
    }
    let ended = binary::run(&mut bash(folder.path(), &address, &script), "");
    let printed = |block: &&Block<'_>| {
        let text = fs::read_to_string(output.path().join(format!("{}.out", block.line)));
        text.unwrap_or_default().replace(&address, ADDRESS)
    };
    let has_begun = |block: &&&Block<'_>| output.path().join(format!("{}.out", block.line)).exists();
    let reached: Vec<_> = blocks.iter().take_while(has_begun).collect();
    if let (Some(code @ 1..), Some(failed)) = (ended.code, reached.last()) {
        panic!("{path}:{} ended with {code} after this:\n{}{}", failed.line, printed(failed), ended.stderr);
    }
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{path}");
    blocks.iter().map(printed).collect()
}

/// A shell that has the binary in its path, and nothing of the developer's own.
fn bash(folder: &Path, address: &str, script: &str) -> Command {
    let programs = Path::new(env!("CARGO_BIN_EXE_vm-system")).parent().unwrap();
    let search = env::var_os("PATH").unwrap_or_default();
    let search = env::join_paths([programs.into()].into_iter().chain(env::split_paths(&search))).unwrap();
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(folder).env_clear().env("PATH", search).env("HOME", folder);
    command.env("VM_SYSTEM_LISTEN", address).env("VM_SYSTEM_SERVER_URL", format!("http://{address}"));
    command.env("VM_SYSTEM_CODE_CACHE", CODE_CACHE).env("VM_SYSTEM_LOG_LEVEL", "off");
    command
}

/// The whole of 127.0.0.0/8 is this machine, so that each document can have an address that no other test uses.
fn own_address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = process::id().to_be_bytes();
    ADDRESS.replace("0.0.1", &format!("{high}.{low}.{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// So that `libs download` finds everything there: the network is for the tests of `libs`.
fn fill_library_cache(folder: &Path) {
    let cache = folder.join(".vm-cache/libraries");
    fs::create_dir_all(&cache).unwrap();
    for entry in fs::read_dir(libs::catalog_files()).unwrap() {
        let file = entry.unwrap().path();
        fs::copy(&file, cache.join(file.file_name().unwrap())).unwrap();
    }
}
