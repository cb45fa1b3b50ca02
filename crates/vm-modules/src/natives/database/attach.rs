//! `ATTACH` of files of the worktree.
//!
//! SQLite would take the file's name from the statement and look for it in the daemon's folder. So a statement that is exactly
//! `ATTACH [DATABASE] 'FILE' AS NAME` is read here, and the file is found as that of `configure`. Every other form is
//! refused by the guard.

use rmpv::Value;

use super::super::{NativeError, error::INVALID_TYPE};

pub(super) struct Attach {
    /// Nothing for a parameter.
    file: Option<String>,
    pub schema: String,
}

/// What an `ATTACH` is made of.
#[derive(PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Parameter,
}

impl Attach {
    /// Nothing for other statements.
    pub fn parse(sql: &str) -> Option<Self> {
        let mut rest = sql.trim().trim_end_matches(';');
        let mut tokens = Vec::new();
        while !rest.trim_start().is_empty() {
            // an ATTACH has six words at most
            if tokens.len() == 6 {
                return None;
            }
            let (token, after) = next_token(rest.trim_start())?;
            tokens.push(token);
            rest = after;
        }
        let mut tokens = tokens.into_iter().peekable();
        let is_word = |token: &Token, word: &str| matches!(token, Token::Word(text) if text.eq_ignore_ascii_case(word));
        tokens.next().filter(|token| is_word(token, "ATTACH"))?;
        tokens.next_if(|token| is_word(token, "DATABASE"));
        let file = match tokens.next()? {
            Token::Quoted(file) => Some(file),
            Token::Parameter => None,
            Token::Word(_) => return None,
        };
        tokens.next().filter(|token| is_word(token, "AS"))?;
        let (Token::Word(schema) | Token::Quoted(schema)) = tokens.next()? else {
            return None;
        };
        tokens.next().is_none().then_some(Self { file, schema })
    }

    pub fn file<'a>(&'a self, parameters: &'a [Value]) -> Result<&'a str, NativeError> {
        let file = match (&self.file, parameters) {
            (Some(file), []) => Some(file.as_str()),
            (None, [file]) => file.as_str(),
            _ => None,
        };
        let file = file.filter(|file| !file.contains('\0'));
        file.ok_or_else(|| NativeError::new(INVALID_TYPE, "ATTACH takes the name of one file, as a string"))
    }
}

fn next_token(text: &str) -> Option<(Token, &str)> {
    let first = text.chars().next()?;
    match first {
        '?' => Some((Token::Parameter, &text[1..])),
        '\'' | '"' | '`' => next_quoted(&text[1..], first),
        _ => {
            let is_in_word = |c: char| c.is_alphanumeric() || c == '_';
            let end = text.find(|c| !is_in_word(c)).unwrap_or(text.len());
            (end > 0).then(|| (Token::Word(text[..end].into()), &text[end..]))
        }
    }
}

/// A quote within quotes is written twice.
fn next_quoted(text: &str, quote: char) -> Option<(Token, &str)> {
    let mut content = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once(quote)?;
        content.push_str(before);
        rest = after;
        if !rest.starts_with(quote) {
            return Some((Token::Quoted(content), rest));
        }
        content.push(quote);
        rest = &rest[1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(sql: &str) -> Option<(Option<String>, String)> {
        Attach::parse(sql).map(|attach| (attach.file, attach.schema))
    }

    #[test]
    fn the_ways_to_write_an_attach_are_understood() {
        let expected = Some((Some("a.db".into()), "b".into()));
        for sql in ["ATTACH 'a.db' AS b", " attach database\n\"a.db\"as'b' ; ", "Attach 'a.db' As \"b\";;"] {
            assert_eq!(parse(sql), expected, "{sql}");
        }
        assert_eq!(parse("ATTACH ? AS b"), Some((None, "b".into())));
        assert_eq!(parse("ATTACH 'it''s' AS `a``b`"), Some((Some("it's".into()), "a`b".into())));
    }

    #[test]
    fn everything_else_is_left_to_the_guard() {
        for sql in [
            "",
            ";",
            "SELECT 1",
            "ATTACH 'a' || 'b' AS c",
            "ATTACH 'a' AS b; SELECT 1",
            "ATTACH 'a AS b",
            "ATTACH a AS b",
            "ATTACH 'a'",
            "ATTACH 'a' AS ?",
            "EXPLAIN ATTACH 'a' AS b",
            "ATTACH 'a' AS b KEY 'k'",
            "é",
        ] {
            assert_eq!(parse(sql), None, "{sql}");
        }
    }
}
