//! `exec`: a command in the worktree, its output, and its end.

use std::{
    ffi::OsString,
    io::{self, ErrorKind, PipeReader, Read},
    os::fd::AsRawFd,
    process::{Command, ExitStatus, Stdio},
    sync::Arc,
};

use rmpv::Value;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, ioctl_fionbio},
};

use super::{
    Bounds, ExecGrant, GrantError, NativeError,
    arguments::Arguments,
    call::encode,
    descendants::{Family, adopt_orphans},
    error::{OUTPUT_LIMIT, describe},
    meter::Meter,
};
use crate::Worktree;

/// How often is looked at whether the execution is to end.
const POLL: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

/// What commands get of the daemon's environment, `LC_…` beside it. The rest may be secret, such as the daemon's token.
const ENVIRONMENT: [&str; 4] = ["HOME", "LANG", "TZ", "TMPDIR"];

#[derive(Debug)]
pub(super) struct Exec {
    worktree: Arc<Worktree>,
    allow: Option<Vec<String>>,
}

impl Exec {
    pub fn new(worktree: Arc<Worktree>, grant: &ExecGrant) -> Result<Self, GrantError> {
        adopt_orphans().map_err(GrantError::Orphans)?;
        Ok(Self { worktree, allow: grant.allow.clone() })
    }

    /// Nothing for a function that is not known.
    pub fn call(
        &self,
        function: &str,
        arguments: &Arguments<'_>,
        bounds: &Bounds<'_>,
    ) -> Option<Result<Vec<u8>, NativeError>> {
        (function == "run").then(|| self.run(arguments, bounds).map(|output| encode(&Value::from(output))))
    }

    fn run(&self, arguments: &Arguments<'_>, bounds: &Bounds<'_>) -> Result<String, NativeError> {
        let name = arguments.system_string(0, "cmd")?;
        let words = arguments.system_strings(1, "args")?;
        if name.is_empty() {
            return Err(arguments.wrong_value("cmd", "names no command"));
        }
        self.permit(name)?;
        let not_started = |error| not_started(name, &error);
        // one pipe for both streams, so that what is printed stays in order
        let (mut output, writer) = io::pipe().map_err(not_started)?;
        let mut command = Command::new(name);
        command.args(words).stdin(Stdio::null()).stderr(writer.try_clone().map_err(not_started)?).stdout(writer);
        // the folder that was opened, whatever its path leads to by now
        command.current_dir(format!("/proc/self/fd/{}", self.worktree.folder().as_raw_fd()));
        command.env_clear().envs(environment());
        let mut family = Family::start(&mut command).map_err(not_started)?;
        // with it goes our side of the pipe's writing end
        drop(command);
        let (mut bytes, mut meter) = (Vec::new(), Meter::new(bounds));
        let heard = listen(&mut family, &mut meter, &mut output, &mut bytes, bounds);
        let (status, cpu) = family.end();
        meter.charge(cpu, bounds);
        let status = status.map_err(|error| failed("ended", &error))?;
        heard?;
        // what was written before the end is still in the pipe
        let mut known = usize::MAX;
        while known != bytes.len() {
            known = bytes.len();
            read_what_is_there(&mut output, &mut bytes, bounds.max_bytes)?;
        }
        finish(status, to_text(&bytes, bounds.max_bytes))
    }

    fn permit(&self, name: &str) -> Result<(), NativeError> {
        match &self.allow {
            Some(allow) if !allow.iter().any(|allowed| allowed == name) => {
                let text =
                    format!("the command {name:?} is not among those that the session may run: {}", allow.join(", "));
                Err(NativeError::new("EACCES", text))
            }
            _ => Ok(()),
        }
    }
}

/// Collects what the command prints until it has ended; what it started may live on meanwhile.
fn listen(
    family: &mut Family,
    meter: &mut Meter,
    output: &mut PipeReader,
    bytes: &mut Vec<u8>,
    bounds: &Bounds<'_>,
) -> Result<(), NativeError> {
    ioctl_fionbio(&*output, true).map_err(|error| failed("read", &error.into()))?;
    let mut is_open = true;
    loop {
        meter.watch(family, bounds);
        bounds.check()?;
        let mut ready = [PollFd::new(family.handle(), PollFlags::IN), PollFd::new(&*output, PollFlags::IN)];
        // a pipe that all writers have closed would always be ready
        let watched = if is_open { &mut ready[..] } else { &mut ready[..1] };
        match poll(watched, Some(&POLL)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(failed("read", &error.into())),
        }
        let has_ended = !ready[0].revents().is_empty();
        if is_open && !ready[1].revents().is_empty() {
            is_open = read_what_is_there(output, bytes, bounds.max_bytes)?;
        }
        if has_ended {
            return Ok(());
        }
    }
}

/// Whether more can come.
fn read_what_is_there(output: &mut PipeReader, bytes: &mut Vec<u8>, max_bytes: u64) -> Result<bool, NativeError> {
    // a pipe's usual capacity; a command that writes without end gets no more than that at once
    let mut buffer = [0; 1 << 16];
    let more = match output.read(&mut buffer) {
        Ok(0) => false,
        Ok(length) => {
            bytes.extend_from_slice(&buffer[..length]);
            true
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => true,
        Err(error) => return Err(failed("read", &error)),
    };
    if bytes.len() as u64 > max_bytes {
        let text =
            format!("the command was ended, because it printed more than the {max_bytes} bytes that a call may answer");
        let output = Some(to_text(bytes, max_bytes));
        return Err(NativeError { output, ..NativeError::new(OUTPUT_LIMIT, text) });
    }
    Ok(more)
}

/// What is no UTF-8 is replaced, by which a text can become longer than its bytes.
fn to_text(bytes: &[u8], max_bytes: u64) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    text.truncate(text.floor_char_boundary(usize::try_from(max_bytes).unwrap_or(usize::MAX)));
    text
}

fn finish(status: ExitStatus, output: String) -> Result<String, NativeError> {
    if status.success() {
        return Ok(output);
    }
    let error = match status.code() {
        Some(code) => NativeError::new("ERR_CHILD_PROCESS_STATUS", format!("exit status {code}")),
        // `signal: 9 (SIGKILL)`
        None => NativeError::new("ERR_CHILD_PROCESS_SIGNAL", status.to_string()),
    };
    Err(NativeError { status: status.code(), output: Some(output), ..error })
}

fn not_started(name: &str, error: &io::Error) -> NativeError {
    let code = error.raw_os_error().map_or("EIO", |number| describe(Errno::from_raw_os_error(number)).0);
    let error = NativeError::new(code, format!("spawn {name} {code}"));
    NativeError { path: Some(name.into()), syscall: Some("spawn"), ..error }
}

fn failed(what: &str, error: &io::Error) -> NativeError {
    NativeError::new("EIO", format!("the command cannot be {what}: {error}"))
}

/// What a command gets of the daemon's environment.
fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    let is_passed_on = |name: &str| ENVIRONMENT.contains(&name) || name.starts_with("LC_");
    let kept = std::env::vars_os().filter(move |(name, _)| name.to_str().is_some_and(is_passed_on));
    kept.chain(search_path().map(|path| ("PATH".into(), path)))
}

/// `PATH` without relative folders: in the worktree, they would let a file of the script's be `git`.
fn search_path() -> Option<OsString> {
    let path = std::env::var_os("PATH")?;
    std::env::join_paths(std::env::split_paths(&path).filter(|folder| folder.is_absolute())).ok()
}
