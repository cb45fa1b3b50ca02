//! What `exec` accepts as code, arguments and environment.

use std::{collections::BTreeMap, io, str::FromStr};

use crate::error::Error;

/// The snippet itself, or standard input if it is `-`.
pub fn snippet(code: String) -> Result<String, Error> {
    if code == "-" { io::read_to_string(io::stdin()).map_err(Error::Stdin) } else { Ok(code) }
}

/// The value of one `--args`: an argument, or a JSON array of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptArgs(pub Vec<String>);

impl FromStr for ScriptArgs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('[') {
            let what = |error| format!("what starts with [ is read as a JSON array of strings: {error}");
            return serde_json::from_str(text).map(Self).map_err(what);
        }
        Ok(Self(vec![text.into()]))
    }
}

/// The value of one `--env`: `NAME=VALUE`, or a JSON object of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptEnv(pub BTreeMap<String, String>);

impl FromStr for ScriptEnv {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('{') {
            let what = |error| format!("what starts with {{ is read as a JSON object of strings: {error}");
            return serde_json::from_str(text).map(Self).map_err(what);
        }
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self([(name.into(), value.into())].into())),
            _ => Err("write NAME=VALUE, or a JSON object of strings".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn args_are_single_ones_or_a_json_array_of_strings() {
        let parse = |text: &str| text.parse::<ScriptArgs>().map(|args| args.0);
        assert_eq!(parse("a b"), Ok(vec!["a b".into()]));
        assert_eq!(parse(""), Ok(vec![String::new()]));
        assert_eq!(parse(r#"["a","[b]"]"#), Ok(vec!["a".into(), "[b]".into()]));
        for text in ["[1]", "[", r#"["a"] x"#] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn env_is_single_pairs_or_a_json_object_of_strings() {
        let parse = |text: &str| text.parse::<ScriptEnv>().map(|env| env.0);
        assert_eq!(parse("A=b=c"), Ok([("A".into(), "b=c".into())].into()));
        assert_eq!(parse("A="), Ok([("A".into(), String::new())].into()));
        assert_eq!(parse(r#"{"A":"1","B":"2"}"#), Ok([("A".into(), "1".into()), ("B".into(), "2".into())].into()));
        for text in ["", "A", "=b", "{", r#"{"A":1}"#] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
