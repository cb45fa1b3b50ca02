//! The one way to standard output: the API's JSON, or lines that are safe to show.

use std::{
    fmt::Write as _,
    io::{self, ErrorKind, Write as _},
};

use serde::Serialize;

use crate::error::Error;

/// How answers are printed.
#[derive(Clone, Copy)]
pub struct Output {
    /// As the API's JSON instead of as lines.
    pub json: bool,
}

impl Output {
    /// Prints an answer of the API, or the `lines` that tell a person about it.
    pub fn print<T: Serialize>(self, answer: &T, lines: impl FnOnce(&T) -> Vec<String>) -> Result<(), Error> {
        let lines = if self.json { vec![json(answer)] } else { lines(answer) };
        let text: String = lines.iter().map(|line| safe(line) + "\n").collect();
        write(&text)
    }
}

/// Writes all of it at once. Who reads only the beginning, such as `head`, has got what they wanted.
pub fn write(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
        _ => Ok(()),
    }
}

/// Compact JSON.
pub fn json(value: &impl Serialize) -> String {
    // What has come as JSON can be written as JSON.
    serde_json::to_string(value).unwrap_or_else(|error| error.to_string())
}

/// The text with everything escaped that could forge a line, command a terminal or turn its direction around. The
/// escapes are those of JSON, in which such characters stand in strings only: safe JSON is the same JSON.
pub fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe += "\\n",
            '\r' => safe += "\\r",
            '\t' => safe += "\\t",
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => escape(&mut safe, c),
            c if c.is_control() => escape(&mut safe, c),
            c => safe.push(c),
        }
    }
    safe
}

fn escape(safe: &mut String, c: char) {
    // Writing to a string cannot fail.
    let _ = write!(safe, "\\u{:04x}", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_can_forge_a_line_or_command_the_terminal() {
        let hostile = "a\nCreated template: b\r\t\u{1b}[31m\u{9b}31m\u{7f}\0\u{202e}";
        assert_eq!(safe(hostile), "a\\nCreated template: b\\r\\t\\u001b[31m\\u009b31m\\u007f\\u0000\\u202e");
        assert_eq!(safe("plain \\n é 😀"), "plain \\n é 😀");
    }

    #[test]
    fn safe_json_is_the_same_json() {
        let value = "\u{7f}\u{85}\u{2028}\n";
        let json = safe(&json(&value));
        assert!(json.is_ascii());
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), value);
    }
}
