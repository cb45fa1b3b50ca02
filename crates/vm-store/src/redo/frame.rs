//! Entries as the file of the redo log has them: a mark, and little-endian the length of the steps (4 bytes), the checksum of
//! all that follows (4), the entry's number (8), the commits that it may need (8), and its steps.

use std::io::{self, ErrorKind, Read};

use crate::checksum::checksum;

/// Also says which version of all this it is.
const MARK: [u8; 4] = *b"VMR1";

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame<T> {
    /// One more than that of the entry before.
    pub number: u64,
    /// How many transactions the database had taken when the entry was made.
    pub commits: u64,
    pub steps: T,
}

impl Frame<&[u8]> {
    pub fn encode(&self) -> Vec<u8> {
        let (number, commits) = (self.number.to_le_bytes(), self.commits.to_le_bytes());
        // A length that is cut off does not fit to the checksum.
        let length = (self.steps.len() as u32).to_le_bytes();
        let checksum = checksum(&[&number, &commits, self.steps]).to_le_bytes();
        [&MARK[..], &length, &checksum, &number, &commits, self.steps].concat()
    }
}

impl Frame<Vec<u8>> {
    /// The next one. `None`: what comes is not a whole one.
    pub fn read(file: &mut impl Read) -> io::Result<Option<Self>> {
        match Self::read_whole(file) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            read => read,
        }
    }

    fn read_whole(file: &mut impl Read) -> io::Result<Option<Self>> {
        if array(file)? != MARK {
            return Ok(None);
        }
        let (length, stored) = (u32::from_le_bytes(array(file)?), u32::from_le_bytes(array(file)?));
        let (number, commits) = (array(file)?, array(file)?);
        // What is not there takes no memory.
        let mut steps = Vec::new();
        file.take(length.into()).read_to_end(&mut steps)?;
        let is_whole = steps.len() == length as usize && checksum(&[&number, &commits, &steps]) == stored;
        let frame = Self { number: u64::from_le_bytes(number), commits: u64::from_le_bytes(commits), steps };
        Ok(is_whole.then_some(frame))
    }
}

fn array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(mut bytes: &[u8]) -> Option<Frame<Vec<u8>>> {
        Frame::read(&mut bytes).unwrap()
    }

    proptest! {
        #[test]
        fn a_frame_is_read_as_it_was_written_or_not_at_all(
            number: u64, commits: u64, steps: Vec<u8>, at: prop::sample::Index, flip in 1..=u8::MAX,
        ) {
            let mut bytes = Frame { number, commits, steps: &steps[..] }.encode();
            let length = bytes.len();
            bytes.extend([1, 2, 3]);
            prop_assert_eq!(read(&bytes), Some(Frame { number, commits, steps }));
            prop_assert_eq!(read(&bytes[..at.index(length)]), None);
            bytes[at.index(length)] ^= flip;
            prop_assert_eq!(read(&bytes), None);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            prop_assert!(read(&[&MARK[..], &bytes].concat()).is_none());
        }
    }
}
