//! [`Token`]: what a caller may have to prove that it knows.

use std::{fmt, str::FromStr};

/// A secret that travels as `Authorization: Bearer …`. It has no `Display`, and its `Debug` does not show it, so that it
/// gets into no log.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The secret itself: visible ASCII, not empty.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The text cannot be a token. It is not repeated: it may be a secret that was mistyped.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenError {
    /// Nothing, or nothing but spaces: a variable that was meant to hold one.
    #[error("the token is empty")]
    Empty,
    /// Not what a header can carry.
    #[error("the token has characters other than visible ASCII, such as a space or a line's end")]
    Characters,
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        if text.trim().is_empty() {
            return Err(TokenError::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Characters);
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_blank_or_no_header_can_carry_is_no_token() {
        for text in ["", " ", "\t\n"] {
            assert_eq!(text.parse::<Token>().err(), Some(TokenError::Empty), "{text:?}");
        }
        for text in ["two words", "line\n", " padded", "é", "\0"] {
            assert_eq!(text.parse::<Token>().err(), Some(TokenError::Characters), "{text:?}");
        }
        assert_eq!("aB3-._~+/=".parse::<Token>().unwrap().secret(), "aB3-._~+/=");
    }

    #[test]
    fn a_token_does_not_show_itself() {
        let token: Token = "hush".parse().unwrap();
        assert!(!format!("{token:?} {token:#?}").contains("hush"));
    }
}
