//! Entries as the file of the redo log has them: a head, the steps, and the same head again.
//!
//! A head is, little-endian: a mark (4 bytes), the length of the steps (4), the entry's number (8), the commits that it may
//! need (8), the boot (4), the session (16), the checksum of the steps (4), and that of the head (4).
//!
//! That a head stands behind the steps, too, tells damage from what a daemon that was killed has not written to its end.

use std::io::{self, ErrorKind, Read, Seek};

use memchr::memmem::{find, find_iter};
use vm_model::SessionId;

use crate::checksum::checksum;

/// The last byte is the version of all this.
const MARK: [u8; 4] = *b"VMR2";
/// Bytes of a head.
const HEAD: usize = 52;

/// Goes into the checksums, and is told to nobody: nothing that a script has stored is taken for an entry.
#[derive(Clone, Copy)]
pub(crate) struct Key(pub [u8; 8]);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub head: Head,
    pub steps: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    /// One more than that of the entry before.
    pub number: u64,
    /// How many transactions the database had taken when the entry was made.
    pub commits: u64,
    /// Since which the machine had not been off.
    pub boot: u32,
    /// Whose rows it changes.
    pub session: SessionId,
}

/// A head, and what it says of the steps.
struct Framing {
    head: Head,
    length: u32,
    checksum: u32,
}

impl Frame {
    pub fn encode(&self, key: Key) -> Vec<u8> {
        // A length that is cut off does not fit to the checksum.
        let (length, checksum) = (self.steps.len() as u32, checksum(&[&key.0, &self.steps]));
        let head = Framing { head: self.head, length, checksum }.encode(key);
        [&head[..], &self.steps, &head].concat()
    }

    /// The next one. `None`: what comes is not a whole one.
    pub fn read(file: &mut impl Read, key: Key) -> io::Result<Option<Self>> {
        match Self::read_whole(file, key) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            read => read,
        }
    }

    fn read_whole(file: &mut impl Read, key: Key) -> io::Result<Option<Self>> {
        let Some(Framing { head, length, checksum: stored }) = Framing::decode(&array(file)?, key) else {
            return Ok(None);
        };
        // What is not there takes no memory.
        let mut steps = Vec::new();
        file.take(length.into()).read_to_end(&mut steps)?;
        // Whether the second head is damaged makes no difference now.
        array::<HEAD>(file)?;
        let is_whole = steps.len() == length as usize && checksum(&[&key.0, &steps]) == stored;
        Ok(is_whole.then_some(Self { head, steps }))
    }

    /// How many bytes of the file it takes.
    pub fn length(&self) -> u64 {
        (2 * HEAD + self.steps.len()) as u64
    }
}

/// Whether another version has written this file. One of ours whose first mark is damaged has others.
pub(crate) fn is_of_another_version(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut bytes = Vec::new();
    file.take(MARK.len() as u64).read_to_end(&mut bytes)?;
    let is_other =
        bytes.len() == MARK.len() && bytes[..3] == MARK[..3] && bytes[3].is_ascii_digit() && bytes[3] != MARK[3];
    if is_other {
        file.read_to_end(&mut bytes)?;
    }
    file.rewind()?;
    Ok(is_other && find(&bytes, &MARK).is_none())
}

/// What there is of entries in `bytes`: every head but one at the very beginning, and its frame if that is whole.
pub(crate) fn traces(bytes: &[u8], key: Key) -> impl Iterator<Item = (Head, Option<Frame>)> {
    find_iter(bytes, &MARK).filter(|at| *at > 0).filter_map(move |at| {
        let head = Framing::decode(bytes[at..].first_chunk()?, key)?.head;
        Some((head, Frame::read(&mut &bytes[at..], key).ok().flatten()))
    })
}

impl Framing {
    fn encode(&self, key: Key) -> Vec<u8> {
        let Self { head: Head { number, commits, boot, session }, length, checksum: of_steps } = self;
        let fields: [&[u8]; 7] = [
            &MARK,
            &length.to_le_bytes(),
            &number.to_le_bytes(),
            &commits.to_le_bytes(),
            &boot.to_le_bytes(),
            session.as_bytes(),
            &of_steps.to_le_bytes(),
        ];
        let mut bytes = fields.concat();
        bytes.extend(checksum(&[&key.0, &bytes]).to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; HEAD], key: Key) -> Option<Self> {
        let (checked, stored) = bytes.split_last_chunk()?;
        if checksum(&[&key.0, checked]) != u32::from_le_bytes(*stored) {
            return None;
        }
        let mut fields = checked.strip_prefix(&MARK)?;
        let fields = &mut fields;
        let length = u32::from_le_bytes(array(fields).ok()?);
        let head = Head {
            number: u64::from_le_bytes(array(fields).ok()?),
            commits: u64::from_le_bytes(array(fields).ok()?),
            boot: u32::from_le_bytes(array(fields).ok()?),
            session: SessionId::from_bytes(array(fields).ok()?),
        };
        Some(Self { head, length, checksum: u32::from_le_bytes(array(fields).ok()?) })
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

    const KEY: Key = Key(*b"a secret");

    fn read(mut bytes: &[u8]) -> Option<Frame> {
        Frame::read(&mut bytes, KEY).unwrap()
    }

    fn head() -> impl Strategy<Value = Head> {
        any::<(u64, u64, u32, [u8; 16])>().prop_map(|(number, commits, boot, session)| Head {
            number,
            commits,
            boot,
            session: SessionId::from_bytes(session),
        })
    }

    proptest! {
        #[test]
        fn a_frame_is_read_as_it_was_written_or_not_at_all(
            head in head(), steps: Vec<u8>, at: prop::sample::Index, flip in 1..=u8::MAX,
        ) {
            let frame = Frame { head, steps };
            let mut bytes = frame.encode(KEY);
            let length = bytes.len();
            bytes.extend([1, 2, 3]);
            prop_assert_eq!(frame.length(), length as u64);
            prop_assert_eq!(read(&bytes), Some(frame.clone()));
            prop_assert_eq!(read(&bytes[..at.index(length)]), None);
            prop_assert_eq!(Frame::read(&mut &bytes[..], Key([0; 8])).unwrap(), None);
            let at = at.index(length);
            bytes[at] ^= flip;
            prop_assert_eq!(read(&bytes), (at >= length - HEAD).then_some(frame));
        }

        #[test]
        fn whatever_is_damaged_there_is_a_trace_of_it_and_of_what_is_not_written_to_its_end_there_is_none(
            head in head(), steps: Vec<u8>, at: prop::sample::Index, flip in 1..=u8::MAX,
        ) {
            let mut bytes = Frame { head, steps }.encode(KEY);
            let heads = |bytes: &[u8]| traces(bytes, KEY).map(|(head, _)| head).collect::<Vec<_>>();
            let at = at.index(bytes.len());
            prop_assert_eq!(heads(&bytes[..at]), []);
            if at < bytes.len() - HEAD {
                bytes[at] ^= flip;
                prop_assert_eq!(heads(&bytes), [head]);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let bytes = [&MARK[..], &bytes, &MARK, &bytes].concat();
            prop_assert!(read(&bytes).is_none());
            prop_assert_eq!(traces(&bytes, KEY).count(), 0);
        }
    }
}
