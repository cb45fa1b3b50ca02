//! A terminal of a certain width, and what a command prints on it.

use std::{
    ffi::OsStr,
    fs::{File, OpenOptions},
    io::Read as _,
    os::unix::ffi::OsStrExt as _,
    process::Command,
    thread,
};

use rustix::{
    pty::{OpenptFlags, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

/// Runs a command whose standard output and standard error are a terminal, to its end; the lines that it printed.
pub fn run(command: &mut Command, columns: u16) -> Vec<String> {
    let control = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    unlockpt(&control).unwrap();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&control, size).unwrap();
    let name = ptsname(&control, Vec::new()).unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(OsStr::from_bytes(name.as_bytes())).unwrap();
    command.stdout(terminal.try_clone().unwrap()).stderr(terminal);
    let mut child = command.spawn().unwrap();
    // with it go our copies of the terminal, so that reading ends with the command
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let reader = thread::spawn(move || {
        let mut printed = Vec::new();
        // the end is an error: nobody has the terminal any more
        let _ = File::from(control).read_to_end(&mut printed);
        printed
    });
    child.wait().unwrap();
    let printed = String::from_utf8(reader.join().unwrap()).unwrap();
    printed.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect()
}
