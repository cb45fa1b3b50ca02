//! Text in files, in the encodings that Node knows.

use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use rmpv::Value;

use super::{NativeError, arguments::Arguments};

/// Base64 as Node reads it: padding or none, and what the last character has too much is dropped.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Utf8,
    Latin1,
    Ascii,
    Base64,
    Hex,
}

impl Encoding {
    /// `'utf8'` or `{encoding: 'utf8'}`; nothing when neither is given.
    pub fn option(arguments: &Arguments<'_>, index: usize) -> Result<Option<Self>, NativeError> {
        let given = match arguments.get(index) {
            Value::Map(_) => arguments.option(index, "encoding")?,
            other => other,
        };
        if given.is_nil() {
            return Ok(None);
        }
        let name = given.as_str().ok_or_else(|| arguments.wrong_type(index, "options", "an encoding or an object"))?;
        match name.to_ascii_lowercase().as_str() {
            "utf8" | "utf-8" => Ok(Some(Self::Utf8)),
            "latin1" | "binary" => Ok(Some(Self::Latin1)),
            "ascii" => Ok(Some(Self::Ascii)),
            "base64" => Ok(Some(Self::Base64)),
            "hex" => Ok(Some(Self::Hex)),
            _ => Err(arguments.wrong_value("encoding", "must be utf8, latin1, ascii, base64 or hex")),
        }
    }

    /// What is no text in the encoding is replaced, as in Node.
    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Latin1 => bytes.iter().copied().map(char::from).collect(),
            Self::Ascii => bytes.iter().map(|byte| char::from(byte & 0x7f)).collect(),
            Self::Base64 => BASE64.encode(bytes),
            Self::Hex => bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect(),
        }
    }

    /// What has no place in the encoding is left out or cut off, as in Node.
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Latin1 | Self::Ascii => text.encode_utf16().map(|unit| unit.to_le_bytes()[0]).collect(),
            Self::Base64 => from_base64(text),
            Self::Hex => from_hex(text),
        }
    }
}

fn hex_digit(value: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(value & 15)])
}

/// Up to the first pair that is none.
fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks_exact(2).map_while(|pair| Some((digit(pair[0])? << 4) | digit(pair[1])?)).collect()
}

/// Also the alphabet for URLs; other characters are skipped.
fn from_base64(text: &str) -> Vec<u8> {
    let standard = |byte| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => Some(byte),
        _ => None,
    };
    let mut digits: Vec<u8> = text.bytes().take_while(|byte| *byte != b'=').filter_map(standard).collect();
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    digits.resize(digits.len().next_multiple_of(4), b'=');
    BASE64.decode(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_every_encoding_that_holds_all_of_them() {
        let bytes: Vec<u8> = (0..=255).collect();
        for encoding in [Encoding::Latin1, Encoding::Base64, Encoding::Hex] {
            assert_eq!(encoding.encode(&encoding.decode(&bytes)), bytes);
        }
    }

    #[test]
    fn damaged_text_is_read_as_far_as_node_reads_it() {
        assert_eq!(Encoding::Hex.encode("616g62"), b"a");
        assert_eq!(Encoding::Hex.encode("616"), b"a");
        assert_eq!(Encoding::Base64.encode("YW Jj\n"), b"abc");
        assert_eq!(Encoding::Base64.encode("_-8"), [0xff, 0xef]);
        assert_eq!(Encoding::Base64.encode("YWJjZ"), b"abc");
        assert_eq!(Encoding::Base64.encode("YQ==YQ=="), b"a");
        assert_eq!(Encoding::Latin1.encode("é€"), [0xe9, 0xac]);
        assert_eq!(Encoding::Utf8.decode(b"a\xff"), "a\u{fffd}");
        assert_eq!(Encoding::Ascii.decode(b"a\xe1"), "aa");
    }
}
