//! What was printed against what is shown: equal but for ids, times, measurements, and what `…` stands for.

use serde_json::Value;
use vm_model::{TemplateId, Timestamp};

/// Whether the output ends with these lines. `…` stands for any part of a line, and `019a…` for any id.
pub fn text(shown: &str, printed: &str) -> bool {
    let lines = |text: &str| text.lines().map(without_ids).collect::<Vec<_>>();
    let (shown, printed) = (lines(shown), lines(printed));
    let Some(start) = printed.len().checked_sub(shown.len()) else { return false };
    shown.iter().zip(&printed[start..]).all(|(shown, printed)| line(shown, printed))
}

fn without_ids(line: &str) -> String {
    let is_of_id = |c: char| c.is_ascii_hexdigit() || c == '-';
    let is_shortened =
        |word: &str| word.strip_suffix('…').is_some_and(|start| start.len() >= 4 && start.chars().all(is_of_id));
    let words = line.split(|c| !is_of_id(c) && c != '…');
    words.filter(|word| is_id(word) || is_shortened(word)).fold(line.to_owned(), |line, id| line.replace(id, "ID"))
}

fn is_id(text: &str) -> bool {
    text.parse::<TemplateId>().is_ok()
}

fn line(shown: &str, printed: &str) -> bool {
    let Some((start, rest)) = shown.split_once('…') else { return shown == printed };
    let Some(tail) = printed.strip_prefix(start) else { return false };
    // whatever it stands for, the shortest that lets the rest agree
    tail.char_indices().map(|(at, _)| at).chain([tail.len()]).any(|at| line(rest, &tail[at..]))
}

/// Whether the last JSON of the output, which has nothing else in it, is this one.
pub fn json(shown: &str, printed: &str) -> bool {
    let last = |text: &str| serde_json::Deserializer::from_str(text).into_iter::<Value>().last()?.ok();
    last(shown).is_some_and(|shown| last(printed).is_some_and(|printed| value(&shown, &printed)))
}

fn value(shown: &Value, printed: &Value) -> bool {
    match (shown, printed) {
        (Value::Object(shown), Value::Object(printed)) => {
            // it is there only where an execution had to wait
            let printed_keys = printed.keys().filter(|key| *key != "queued_ms");
            shown.keys().eq(printed_keys)
                && shown.iter().all(|(key, of)| value(of, &printed[key]) || is_measured(key, of, &printed[key]))
        }
        (Value::Array(shown), Value::Array(printed)) => {
            shown.len() == printed.len() && shown.iter().zip(printed).all(|(shown, printed)| value(shown, printed))
        }
        (Value::String(shown), Value::String(printed)) => {
            let is_time = |text: &str| serde_json::from_value::<Timestamp>(text.into()).is_ok();
            line(shown, printed) || (is_id(shown) && is_id(printed)) || (is_time(shown) && is_time(printed))
        }
        _ => shown == printed,
    }
}

fn is_measured(key: &str, shown: &Value, printed: &Value) -> bool {
    ["cpu_ms", "wall_ms", "mem_bytes"].contains(&key) && shown.is_number() && printed.is_number()
}

#[test]
fn what_differs_is_noticed() {
    assert!(text("a … c\n", "first\na b c\n") && text("…x…\n", "axb\n") && text("a…\n", "a\n"));
    assert!(text("(ID: 019a…)\n", "(ID: 01890000-0000-7000-8000-000000000000)\n"));
    assert!(!text("a\n", "a\nb\n") && !text("a … c\n", "a b\n") && !text("a\nb\n", "b\n"));
    let time = r#"{"at":"2026-02-09T00:49:58.000123Z","id":"01890000-0000-7000-8000-000000000000","n":1,"wall_ms":2}"#;
    let other = r#"{"at":"2027-02-09T00:49:58.000123Z","id":"01890000-0000-7000-8000-000000000001","n":1,"wall_ms":3}"#;
    assert!(json(time, &format!("{{}}\n{other}")));
    for (from, to) in [("\"n\":1", "\"n\":2"), ("2027", "202?"), ("-8000-", "-"), ("\"n\"", "\"m\"")] {
        assert!(!json(time, &other.replace(from, to)), "{to}");
    }
}
