//! What `serve --retain` accepts.

use std::{str::FromStr, time::Duration};

use vm_core::Retention;

/// How much history is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retain {
    /// What ended longer ago is deleted.
    Age(Duration),
    /// The oldest is deleted until the database has no more bytes than this.
    Size(u64),
}

const HOUR: u64 = 60 * 60;

impl FromStr for Retain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither an age (12h, 30d) nor a size (500MiB, 10GiB)");
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
        let age = |unit| number.checked_mul(unit).map(|seconds| Self::Age(Duration::from_secs(seconds)));
        let size = |unit| number.checked_mul(unit).map(Self::Size);
        let retain = match &text[digits..] {
            "h" => age(HOUR),
            "d" => age(24 * HOUR),
            "MiB" => size(1 << 20),
            "GiB" => size(1 << 30),
            _ => None,
        };
        retain.ok_or_else(wrong)
    }
}

/// Of two ages or sizes the later one counts.
pub fn retention(retain: &[Retain]) -> Retention {
    retain.iter().fold(Retention::default(), |retention, retain| match *retain {
        Retain::Age(age) => Retention { max_age: Some(age), ..retention },
        Retain::Size(bytes) => Retention { max_bytes: Some(bytes), ..retention },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_are_told_apart_by_their_units() {
        let parse = |text: &str| text.parse::<Retain>().ok();
        assert_eq!(parse("30d"), Some(Retain::Age(Duration::from_secs(30 * 24 * HOUR))));
        assert_eq!(parse("12h"), Some(Retain::Age(Duration::from_secs(12 * HOUR))));
        assert_eq!(parse("10GiB"), Some(Retain::Size(10 << 30)));
        for text in ["", "30", "d", "-1d", "1.5d", "10 GiB", "10GB", "99999999999999999999d", "9999999999999999999GiB"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        let both = retention(&[Retain::Size(5), Retain::Age(Duration::from_secs(7))]);
        assert_eq!(both, Retention { max_age: Some(Duration::from_secs(7)), max_bytes: Some(5) });
    }
}
