//! What a stream's terminal can do, if it is one.

use std::{
    env,
    io::{self, IsTerminal},
};

use rustix::termios::tcgetwinsize;

/// What is assumed of a terminal that does not know its width, such as a serial line.
const USUAL_WIDTH: usize = 80;

/// The columns of standard output, if it is a terminal.
pub fn width() -> Option<usize> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let columns = tcgetwinsize(&stdout).map_or(0, |size| size.ws_col);
    Some(if columns == 0 { USUAL_WIDTH } else { columns.into() })
}

/// Whether it is a terminal that can move its cursor. One that cannot says so, if it says anything.
pub fn is_capable(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Whether it is a terminal on which colours and bold type can be shown and are wanted, see <https://no-color.org>.
pub fn is_styled(stream: &impl IsTerminal) -> bool {
    is_capable(stream) && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
