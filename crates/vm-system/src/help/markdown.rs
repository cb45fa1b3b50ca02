//! Markdown on a terminal: headings bold, code indented, lists and tables laid out, text wrapped. It knows what the topics
//! use; of anything else it shows the text.

use std::{borrow::Cow, mem::take};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use textwrap::{WordSplitter, core::display_width, wrap};

/// Longer lines are hard to read, however wide the terminal is.
const MAX_WIDTH: usize = 100;
const CODE_INDENT: &str = "    ";
const COLUMN_GAP: &str = "  ";

const BOLD: &str = "\x1b[1m";
const CODE: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

/// The text for a terminal of this width. Without styles, signs of Markdown stand for them.
pub fn shown(markdown: &str, width: usize, is_styled: bool) -> String {
    let mut page = Page { width: width.min(MAX_WIDTH), is_styled, ..Page::default() };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        page.add(event);
    }
    page.out
}

#[derive(Default)]
struct Page {
    out: String,
    width: usize,
    is_styled: bool,
    /// What has been read of the present block.
    text: String,
    is_bold: bool,
    /// Where the present link leads.
    link: String,
    /// The lists around this place, each with the number of its next item, or none.
    lists: Vec<Option<u64>>,
    /// What the next lines begin with, in an item of a list.
    marker: String,
    row: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Page {
    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.is_bold => self.text += &self.styled(&text, BOLD, "**"),
            Event::Text(text) => self.text += &text,
            Event::Code(code) => self.text += &self.styled(&code, CODE, "`"),
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Strong => self.is_bold = true,
            Tag::Link { dest_url, .. } => self.link = dest_url.into_string(),
            Tag::List(first) => {
                self.end_paragraph();
                self.start_block();
                self.lists.push(first);
            }
            Tag::Item => self.marker = self.next_marker(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong => self.is_bold = false,
            TagEnd::Link => self.end_link(),
            TagEnd::Heading(level) => self.end_heading(level as usize),
            TagEnd::Paragraph => {
                self.start_block();
                self.end_paragraph();
            }
            TagEnd::Item => self.end_paragraph(),
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::TableCell => self.row.push(take(&mut self.text)),
            TagEnd::TableHead | TagEnd::TableRow => self.rows.push(take(&mut self.row)),
            TagEnd::Table => self.end_table(),
            _ => {}
        }
    }

    /// Each word by itself, so that no style reaches over the end of a line.
    fn styled(&self, text: &str, style: &str, sign: &str) -> String {
        if !self.is_styled {
            return format!("{sign}{text}{sign}");
        }
        let word = |word: &str| if word.is_empty() { String::new() } else { format!("{style}{word}{RESET}") };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    fn next_marker(&mut self) -> String {
        let Some(Some(number)) = self.lists.last_mut() else { return "- ".into() };
        *number += 1;
        format!("{}. ", *number - 1)
    }

    /// An empty line before it, except at the top and within lists.
    fn start_block(&mut self) {
        if !self.out.is_empty() && self.lists.is_empty() {
            self.out.push('\n');
        }
    }

    fn end_link(&mut self) {
        let link = take(&mut self.link);
        if !self.text.ends_with(&link) {
            self.text += &format!(" ({link})");
        }
    }

    fn end_heading(&mut self, level: usize) {
        self.start_block();
        let text = take(&mut self.text);
        let heading = if self.is_styled { self.styled(&text, BOLD, "") } else { "#".repeat(level) + " " + &text };
        self.out += &(heading + "\n");
    }

    fn end_paragraph(&mut self) {
        let text = take(&mut self.text);
        if text.is_empty() {
            return;
        }
        let depth = self.lists.len();
        let mut first = "  ".repeat(depth);
        if !self.marker.is_empty() {
            first = "  ".repeat(depth - 1) + &take(&mut self.marker);
        }
        let others = " ".repeat(first.len());
        let options = wrapping(self.width).initial_indent(&first).subsequent_indent(&others);
        for line in wrap(&text, options) {
            self.out += &(line.into_owned() + "\n");
        }
    }

    /// As it is: who copies a line needs it whole.
    fn end_code(&mut self) {
        self.start_block();
        let indent = "  ".repeat(self.lists.len()) + CODE_INDENT;
        for line in take(&mut self.text).lines() {
            self.out += &((indent.clone() + line).trim_end().to_owned() + "\n");
        }
    }

    fn end_table(&mut self) {
        self.start_block();
        let mut rows = take(&mut self.rows);
        let Some(header) = rows.first_mut() else { return };
        header.iter_mut().for_each(|cell| *cell = self.styled(cell, BOLD, ""));
        let widths = column_widths(&rows, self.width);
        let rule = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join(COLUMN_GAP);
        for (number, row) in rows.iter().enumerate() {
            self.out += &row_lines(row, &widths);
            if number == 0 {
                self.out += &(rule.clone() + "\n");
            }
        }
    }
}

/// Words stay whole, flags and paths with their hyphens too.
fn wrapping<'a>(width: usize) -> textwrap::Options<'a> {
    textwrap::Options::new(width).break_words(false).word_splitter(WordSplitter::NoHyphenation)
}

/// What the cells need, taken from the widest until the table has room, or until only whole words are left.
fn column_widths(rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize, of: &dyn Fn(&str) -> usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| of(cell)).max().unwrap_or(0)
    };
    let mut widths: Vec<_> = (0..columns).map(|column| widest(column, &display_width)).collect();
    let longest_word = |cell: &str| cell.split(' ').map(display_width).max().unwrap_or(0);
    let least: Vec<_> = (0..columns).map(|column| widest(column, &longest_word)).collect();
    let gaps = COLUMN_GAP.len() * columns.saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let shrinking = (0..columns).filter(|&column| widths[column] > least[column]);
        let Some(column) = shrinking.max_by_key(|&column| widths[column]) else { break };
        widths[column] -= 1;
    }
    widths
}

fn row_lines(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<_> = row.iter().zip(widths).map(|(cell, &width)| wrap(cell, wrapping(width))).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |number: usize| {
        let part = |(cell, width): (&Vec<Cow<'_, str>>, &usize)| {
            let text = cell.get(number).map_or("", |line| line);
            text.to_owned() + &" ".repeat(width.saturating_sub(display_width(text)))
        };
        cells.iter().zip(widths).map(part).collect::<Vec<_>>().join(COLUMN_GAP).trim_end().to_owned() + "\n"
    };
    (0..height).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_code_are_told_from_text_with_styles_and_without() {
        let markdown = "# One `two`\n\ntext **bold words** and `a b`\n\n```bash\nls  -l\n\n  x\n```\n";
        assert_eq!(
            shown(markdown, 80, false),
            "# One `two`\n\ntext **bold words** and `a b`\n\n    ls  -l\n\n      x\n"
        );
        assert_eq!(
            shown(markdown, 80, true),
            "\u{1b}[1mOne\u{1b}[0m \u{1b}[1m\u{1b}[36mtwo\u{1b}[0m\u{1b}[0m\n\n\
             text \u{1b}[1mbold\u{1b}[0m \u{1b}[1mwords\u{1b}[0m and \u{1b}[36ma\u{1b}[0m \u{1b}[36mb\u{1b}[0m\n\n    \
             ls  -l\n\n      x\n"
        );
    }

    #[test]
    fn text_and_lists_are_wrapped_at_spaces_only() {
        let markdown = "one two three\nfour --some-flag\n\n- a item of two lines\n  1. x\n  2. y\n- b\n\nend\n";
        assert_eq!(
            shown(markdown, 14, false),
            "one two three\nfour\n--some-flag\n\n- a item of\n  two lines\n  1. x\n  2. y\n- b\n\nend\n"
        );
    }

    #[test]
    fn a_link_shows_where_it_leads() {
        assert_eq!(shown("[here](http://h/) and <http://h/>", 80, false), "here (http://h/) and http://h/\n");
    }

    #[test]
    fn a_table_is_aligned_and_its_widest_column_is_wrapped() {
        let markdown = "| a | long |\n|---|---|\n| xx | one two three |\n| y | `b\\|c` |\n";
        assert_eq!(shown(markdown, 80, false), "a   long\n──  ─────────────\nxx  one two three\ny   `b|c`\n");
        assert_eq!(shown(markdown, 12, false), "a   long\n──  ────────\nxx  one two\n    three\ny   `b|c`\n");
    }

    #[test]
    fn a_table_of_words_that_have_no_room_is_wider_than_the_terminal_rather_than_broken() {
        assert_eq!(shown("| a | b |\n|---|---|\n| xxxx | yyyy |\n", 5, false), "a     b\n────  ────\nxxxx  yyyy\n");
    }
}
