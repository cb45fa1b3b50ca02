//! `TextDecoder`: from bytes to text in any encoding of the Encoding Standard.

use encoding_rs::{DecoderResult, Encoding};
use serde::Deserialize;

/// How bytes are decoded.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Options {
    /// A wrong byte is an error, and not U+FFFD.
    pub fatal: bool,
    /// A byte order mark is part of the text.
    pub keep_bom: bool,
    /// Nothing follows; otherwise an unfinished character at the end is left out.
    pub last: bool,
}

/// The name of the encoding with this label, in lower case; `None` where there is none.
#[must_use]
pub fn name(label: &str) -> Option<String> {
    Encoding::for_label_no_replacement(label.as_bytes()).map(|encoding| encoding.name().to_ascii_lowercase())
}

/// The text; `None` where the bytes are wrong and that is fatal, or where there is no such encoding.
#[must_use]
pub fn decode(label: &str, bytes: &[u8], options: Options) -> Option<String> {
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
    let mut decoder = if options.keep_bom {
        encoding.new_decoder_without_bom_handling()
    } else {
        encoding.new_decoder_with_bom_removal()
    };
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len())?);
    if !options.fatal {
        let _ = decoder.decode_to_string(bytes, &mut text, options.last);
        return Some(text);
    }
    match decoder.decode_to_string_without_replacement(bytes, &mut text, options.last).0 {
        DecoderResult::InputEmpty => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Options = Options { fatal: false, keep_bom: false, last: true };

    #[test]
    fn labels_are_those_of_the_standard() {
        assert_eq!(name(" UTF8 ").as_deref(), Some("utf-8"));
        assert_eq!(name("latin1").as_deref(), Some("windows-1252"));
        assert_eq!(name("utf-17"), None);
    }

    #[test]
    fn wrong_bytes_are_replaced_or_fatal() {
        assert_eq!(decode("utf-8", b"a\xffb", USUAL).as_deref(), Some("a\u{fffd}b"));
        assert_eq!(decode("utf-8", b"a\xffb", Options { fatal: true, ..USUAL }), None);
        assert_eq!(decode("utf-16le", b"a\0", USUAL).as_deref(), Some("a"));
    }

    #[test]
    fn the_end_of_an_unfinished_stream_waits() {
        let euro = "€".as_bytes();
        assert_eq!(decode("utf-8", &euro[..2], Options { last: false, ..USUAL }).as_deref(), Some(""));
        assert_eq!(decode("utf-8", &euro[..2], USUAL).as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn a_byte_order_mark_is_left_out_unless_wanted() {
        assert_eq!(decode("utf-8", b"\xef\xbb\xbfa", USUAL).as_deref(), Some("a"));
        assert_eq!(
            decode("utf-8", b"\xef\xbb\xbfa", Options { keep_bom: true, ..USUAL }).as_deref(),
            Some("\u{feff}a")
        );
    }
}
