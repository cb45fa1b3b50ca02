//! Runs the binary as a user would, in an environment that has nothing of the developer's own in it.

use std::{
    env,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

const BINARY: &str = env!("CARGO_BIN_EXE_vm-system");

/// What one command left behind.
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

impl Output {
    /// Its standard output, which must have been all: exit 0 and nothing on standard error.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "standard output: {}", self.stdout);
        self.stdout
    }

    /// Its standard error, which must have been all: this exit code and nothing on standard output.
    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "standard error: {}", self.stderr);
        self.stderr
    }
}

/// `vm-system` in this folder, with no variables but `PATH`.
pub fn command(folder: &Path) -> Command {
    plain(Command::new(BINARY), folder)
}

/// The same, become of another program, which is given the binary after these words.
pub fn command_by(folder: &Path, program: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words).arg(BINARY);
    plain(command, folder)
}

fn plain(mut command: Command, folder: &Path) -> Command {
    command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).current_dir(folder);
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that does not read its input may be gone before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Output {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}
