//! Where the statements of a script end.
//!
//! SQLite gets one at a time: it bounds the length of what it gets, and copies all of it for each statement in it.

/// What matters of a statement to find its end.
#[derive(Clone, Copy, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Semicolon,
    Other,
}

/// The first statement with its semicolon, and what comes after it.
pub(super) fn split_first(sql: &str) -> (&str, &str) {
    let (mut head, mut last) = (Vec::new(), [Token::Other; 2]);
    let mut end = 0;
    while end < sql.len() {
        let (token, length) = next_token(&sql[end..]);
        end += length;
        let Some(token) = token else { continue };
        if head.len() < 6 {
            head.push(token);
        }
        let is_end_of_trigger = || last[0] == Token::Semicolon && is(last[1], "END");
        if token == Token::Semicolon && (!is_trigger(&head) || is_end_of_trigger()) {
            break;
        }
        last = [last[1], token];
    }
    sql.split_at(end)
}

/// Only `CREATE TRIGGER` has semicolons in it.
fn is_trigger(head: &[Token<'_>]) -> bool {
    let mut head = head.iter().skip_while(|token| ["EXPLAIN", "QUERY", "PLAN"].iter().any(|word| is(**token, word)));
    head.next().is_some_and(|token| is(*token, "CREATE"))
        && head
            .find(|token| !is(**token, "TEMP") && !is(**token, "TEMPORARY"))
            .is_some_and(|token| is(*token, "TRIGGER"))
}

fn is(token: Token<'_>, word: &str) -> bool {
    matches!(token, Token::Word(text) if text.eq_ignore_ascii_case(word))
}

/// With its length; nothing for space and comments. What has no end goes on to the end of the text.
fn next_token(text: &str) -> (Option<Token<'_>>, usize) {
    let until =
        |from: usize, end: &str| text.get(from..).and_then(|rest| rest.find(end)).map(|at| from + at + end.len());
    let length_of = |is_in: fn(char) -> bool| text.find(|c| !is_in(c)).unwrap_or(text.len());
    let first = text.chars().next().unwrap_or(' ');
    match first {
        ';' => (Some(Token::Semicolon), 1),
        // a quote within quotes is written twice, which makes two of it here
        '\'' | '"' | '`' => (Some(Token::Other), until(1, &text[..1]).unwrap_or(text.len())),
        '[' => (Some(Token::Other), until(1, "]").unwrap_or(text.len())),
        '-' if text.starts_with("--") => (None, until(2, "\n").unwrap_or(text.len())),
        '/' if text.starts_with("/*") => (None, until(2, "*/").unwrap_or(text.len())),
        c if c.is_ascii_whitespace() => (None, length_of(|c| c.is_ascii_whitespace())),
        c if is_in_word(c) => {
            let length = length_of(is_in_word);
            (Some(Token::Word(&text[..length])), length)
        }
        c => (Some(Token::Other), c.len_utf8()),
    }
}

fn is_in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;

    use super::*;

    fn split(mut sql: &str) -> Vec<&str> {
        let mut statements = Vec::new();
        while !sql.is_empty() {
            let (statement, rest) = split_first(sql);
            statements.push(statement);
            sql = rest;
        }
        statements
    }

    #[test]
    fn statements_end_where_sqlite_ends_them() {
        for statements in [
            &["SELECT 1;", " SELECT 2"][..],
            &[";", ";", " "],
            &["SELECT ';', \";\", `;`, [;], 'it''s;';", "-- ; \n /* ; */ SELECT 'é;';", "SELECT 3;"],
            &["CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; SELECT CASE 1 WHEN 1 THEN 2 END; END;", "SELECT 1;"],
            &["/* */ create -- ;\n temp trigger a BEGIN SELECT ';'; /* ; */ END /* ; */ ;", "SELECT 1"],
            &["EXPLAIN CREATE TEMPORARY TRIGGER a BEGIN SELECT 1; END;", "END;", "BEGIN;"],
            &["CREATE TABLE trigger_;", " CREATE TEMP TABLE t (v);"],
            &["SELECT 'no end; SELECT 1;"],
            &["SELECT 1 /* no end; SELECT 1;"],
        ] {
            assert_eq!(split(&statements.concat()), statements);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(sql in "([;'\"`\\[\\] a\n*/-]|é|CREATE |TEMP |TRIGGER |END){0,40}") {
            prop_assert_eq!(split(&sql).concat(), sql);
        }

        #[test]
        fn literals_with_anything_in_them_are_whole(text in "[;'\"a\n*/é-]{0,20}") {
            let connection = Connection::open_in_memory().unwrap();
            let literal = format!("SELECT '{}';", text.replace('\'', "''"));
            let script = format!("{literal}{literal}");
            let (first, rest) = split_first(&script);
            prop_assert_eq!((first, rest), (&*literal, &*literal));
            let value: String = connection.query_row(first, [], |row| row.get(0)).unwrap();
            prop_assert_eq!(value, text);
        }
    }
}
