//! Tables: aligned for people and programs, and on a terminal no wider than it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{output::safe, terminal};

/// Aligned columns with two spaces between them, under a header; or the line `none` if there are no rows. On a terminal
/// the last column is shortened to what has room.
pub fn table<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>, none: &str) -> Vec<String> {
    let cell = |text: String| if text.is_empty() { "-".into() } else { safe(&text) };
    let mut table = vec![header.map(String::from)];
    table.extend(rows.map(|row| row.map(cell)));
    if table.len() == 1 {
        return vec![none.into()];
    }
    let widths: [usize; N] =
        std::array::from_fn(|column| table.iter().map(|row| row[column].width()).max().unwrap_or(0));
    table.iter().map(|row| fitted(line(row, &widths))).collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<_> =
        row.iter().zip(widths).map(|(cell, width)| cell.clone() + &" ".repeat(width - cell.width())).collect();
    cells.join("  ").trim_end().into()
}

/// The line of a table, shortened where it would be wider than the terminal.
pub fn fitted(line: String) -> String {
    match terminal::width() {
        Some(width) if line.width() > width => shortened(&line, width),
        _ => line,
    }
}

fn shortened(line: &str, width: usize) -> String {
    // one column is for the sign that something is missing
    let mut room = width.saturating_sub(1);
    let fits = |c: &char| match room.checked_sub(c.width().unwrap_or(0)) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    };
    line.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_have_no_trailing_spaces() {
        let rows = [["1".into(), "long name".into(), "x".into()], ["22".into(), "é中".into(), String::new()]];
        let lines = table(["ID", "NAME", "MODE"], rows.into_iter(), "none");
        assert_eq!(lines, ["ID  NAME       MODE", "1   long name  x", "22  é中        -"]);
    }

    #[test]
    fn an_empty_table_is_one_line_that_says_so() {
        assert_eq!(table(["ID"], std::iter::empty(), "No sessions found"), ["No sessions found"]);
    }

    #[test]
    fn a_line_that_is_too_wide_ends_with_a_sign_of_it() {
        for (line, width, expected) in
            [("abcdef", 5, "abcd…"), ("ab中中", 5, "ab中…"), ("ab中中", 4, "ab…"), ("abc", 1, "…")]
        {
            assert_eq!(shortened(line, width), expected);
        }
    }
}
