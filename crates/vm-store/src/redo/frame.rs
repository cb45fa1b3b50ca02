//! Entries as the file of the redo log has them: a mark, and little-endian the length of the steps (4 bytes), the checksum of
//! all that follows (4), the entry's number (8), the commits that it may need (8), and its steps.

use crate::checksum::checksum;

/// Also says which version of all this it is.
const MARK: [u8; 4] = *b"VMR1";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Frame<'a> {
    /// One more than that of the entry before.
    pub number: u64,
    /// How many transactions the database had taken when the entry was made.
    pub commits: u64,
    pub steps: &'a [u8],
}

impl<'a> Frame<'a> {
    pub fn encode(&self) -> Vec<u8> {
        let (number, commits) = (self.number.to_le_bytes(), self.commits.to_le_bytes());
        // A length that is cut off does not fit to the checksum.
        let length = (self.steps.len() as u32).to_le_bytes();
        let checksum = checksum(&[&number, &commits, self.steps]).to_le_bytes();
        [&MARK[..], &length, &checksum, &number, &commits, self.steps].concat()
    }

    /// The first of `bytes`, which go on behind it. `None`: they do not begin with a whole one.
    pub fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let rest = &mut bytes.strip_prefix(&MARK)?;
        let (length, stored) = (u32::from_le_bytes(array(rest)?), u32::from_le_bytes(array(rest)?));
        let (number, commits) = (array(rest)?, array(rest)?);
        let steps = rest.split_off(..length as usize)?;
        if checksum(&[&number, &commits, steps]) != stored {
            return None;
        }
        *bytes = rest;
        Some(Self { number: u64::from_le_bytes(number), commits: u64::from_le_bytes(commits), steps })
    }
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    bytes.split_off(..N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_frame_is_read_as_it_was_written_or_not_at_all(
            number: u64, commits: u64, steps: Vec<u8>, at: prop::sample::Index, flip in 1..=u8::MAX,
        ) {
            let frame = Frame { number, commits, steps: &steps };
            let mut bytes = frame.encode();
            bytes.extend([1, 2, 3]);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(Frame::decode(&mut rest), Some(frame));
            prop_assert_eq!(rest, [1, 2, 3]);
            let length = bytes.len() - 3;
            prop_assert_eq!(Frame::decode(&mut &bytes[..at.index(length)]), None);
            bytes[at.index(length)] ^= flip;
            prop_assert_eq!(Frame::decode(&mut bytes.as_slice()), None);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let marked = [&MARK[..], &bytes].concat();
            prop_assert!(Frame::decode(&mut marked.as_slice()).is_none());
        }
    }
}
