//! What a guest asks of the host: the first byte names the function, the rest is the message with its arguments. It may
//! be answered or refused; either is a message that the guest can decode.

use std::{
    cell::RefCell,
    fs,
    sync::{Arc, LazyLock},
    time::Duration,
};

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use vm_model::Resolver;
use vm_modules::{ExecGrant, FsGrant, Grants, HostCalls, Loader, Natives, Net, Worktree, net::fetch::IsStopped};

const MAX_BYTES: u64 = 1 << 20;
/// All that decode something. What would change files is left out: these are this machine's.
const FUNCTIONS: [&str; 20] = [
    "url.parse",
    "url.set",
    "url.parse_query",
    "url.write_query",
    "encoding.name",
    "encoding.decode",
    "modules.resolve",
    "modules.require",
    "modules.load",
    "modules.read",
    "modules.url",
    "net.fetch",
    "net.cancel",
    "fs.readFileSync",
    "fs.existsSync",
    "fs.readdirSync",
    "fs.statSync",
    "exec.run",
    "database.query",
    "nothing.at.all",
];

/// Never run, so that no request leaves this machine.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().build().unwrap());

thread_local! {
    static CALLS: RefCell<(HostCalls, TempDir)> = RefCell::new(calls());
}

fn calls() -> (HostCalls, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.js"), "1").unwrap();
    let worktree = Arc::new(Worktree::open(folder.path()).unwrap());
    // no command is allowed, so that what is decoded is never run
    let exec = Some(ExecGrant { allow: Some(Vec::new()) });
    let grants = Grants { fs: Some(FsGrant::default()), exec, database: None };
    let calls = HostCalls {
        loader: Loader::new(worktree.clone(), Resolver::default(), Vec::new(), MAX_BYTES),
        natives: Natives::new(worktree, &grants).unwrap(),
        net: Some(Net::new(&[], RUNTIME.handle().clone(), Arc::new(|| ()))),
        max_answer: MAX_BYTES,
        max_output: MAX_BYTES,
    };
    (calls, folder)
}

/// Makes a call.
///
/// # Panics
/// What came of it is wrong.
pub fn check(data: &[u8]) {
    let Some((function, request)) = data.split_first() else { return };
    let name = FUNCTIONS[usize::from(*function) % FUNCTIONS.len()];
    let is_stopped: IsStopped = Arc::new(|| false);
    let spend = |_| Duration::MAX;
    CALLS.with_borrow_mut(|(calls, _)| {
        match calls.call(name, request, &is_stopped, &|work| work(), &spend) {
            Ok(answer) => one_message(&answer),
            Err(refusal) => one_message(&refusal.encode()),
        }
        // what is never taken would pile up
        one_message(&calls.call("net.answers", &[0x90], &is_stopped, &|work| work(), &spend).unwrap());
    });
}

/// One whole message.
fn one_message(mut message: &[u8]) {
    rmpv::decode::read_value(&mut message).unwrap();
    assert!(message.is_empty());
}
