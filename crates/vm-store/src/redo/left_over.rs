//! What a daemon that was killed has left in its redo log.

use std::{
    fs::File,
    io::{self, BufReader, ErrorKind, Read},
    path::Path,
};

use super::{BATCH, frame::Frame, take_all};
use crate::{StoreError, error::Failure, writer::Writer};

/// Applies it, and answers the number of the last entry that ever was.
pub(crate) fn apply(log: &Path, writer: &Writer) -> Result<u64, StoreError> {
    let failed = |failure: Failure| failure.while_doing(format_args!("apply what is left in {}", log.display()));
    let unreadable = |why: io::Error| StoreError::CannotOpen {
        path: log.into(),
        why: why.to_string(),
        hint: "; make it readable for this user",
    };
    let applied = writer.applied().map_err(failed)?;
    let file = match File::open(log) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(applied),
        Err(error) => return Err(unreadable(error)),
    };
    let mut left = LeftOver { file, before: None, applied, commits: writer.commits(), is_over: false };
    loop {
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some(frame) = left.next().map_err(unreadable)?
        {
            batch.push(frame);
        }
        if batch.is_empty() {
            return Ok(left.applied);
        }
        let entries = batch.iter().map(|frame| (frame.number, frame.steps.as_slice()));
        writer.write(|db| take_all(db, entries)).map_err(failed)?;
    }
}

/// The entries after number `applied` that a database with so many commits can take. Behind the last one the file may have
/// older ones, or a part of one that was never acknowledged.
struct LeftOver<R> {
    file: R,
    /// The number of the entry before, whether it was applied or not.
    before: Option<u64>,
    applied: u64,
    commits: u64,
    is_over: bool,
}

impl<R: Read> LeftOver<R> {
    fn next(&mut self) -> io::Result<Option<Frame<Vec<u8>>>> {
        while !self.is_over {
            match Frame::read(&mut self.file)? {
                Some(frame) if self.before.is_none_or(|before| frame.number == before + 1) => {
                    self.before = Some(frame.number);
                    if frame.number > self.applied {
                        self.is_over = !self.can_take(&frame);
                        return Ok(Some(frame).filter(|_| !self.is_over));
                    }
                }
                _ => self.is_over = true,
            }
        }
        Ok(None)
    }

    /// Whether the database has all that was before it.
    fn can_take(&mut self, frame: &Frame<Vec<u8>>) -> bool {
        let can = frame.number == self.applied + 1 && frame.commits <= self.commits;
        if can {
            self.applied = frame.number;
        } else {
            tracing::warn!(frame.number, self.applied, "the redo log goes on from another state of the database");
        }
        can
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(frames: &[(u64, u64)]) -> Vec<u8> {
        frames.iter().flat_map(|&(number, commits)| Frame { number, commits, steps: &b"steps"[..] }.encode()).collect()
    }

    fn numbers(bytes: &[u8], applied: u64, commits: u64) -> Vec<u64> {
        let mut left = LeftOver { file: bytes, before: None, applied, commits, is_over: false };
        let numbers = std::iter::from_fn(|| left.next().unwrap()).map(|frame| frame.number).collect();
        assert_eq!(left.next().unwrap(), None);
        numbers
    }

    #[test]
    fn what_is_applied_is_not_left_over_and_neither_is_what_is_older_than_the_end() {
        let bytes = log(&[(5, 1), (6, 1), (7, 2), (3, 1), (4, 1), (8, 1)]);
        assert_eq!(numbers(&bytes, 4, 2), [5, 6, 7]);
        assert_eq!(numbers(&bytes, 6, 2), [7]);
        assert!(numbers(&bytes, 7, 2).is_empty());
        assert!(numbers(&[], 7, 2).is_empty());
    }

    #[test]
    fn the_end_is_where_an_entry_is_not_whole() {
        let bytes = log(&[(5, 1), (6, 1), (7, 1)]);
        assert_eq!(numbers(&bytes[..bytes.len() - 1], 4, 2), [5, 6]);
        let mut damaged = bytes;
        damaged[log(&[(1, 1)]).len() + 30] ^= 1;
        assert_eq!(numbers(&damaged, 4, 2), [5]);
    }

    #[test]
    fn nothing_is_applied_to_a_database_that_lacks_what_was_before() {
        assert_eq!(numbers(&log(&[(5, 1), (6, 3), (7, 1)]), 4, 2), [5]);
        assert!(numbers(&log(&[(5, 1)]), 3, 2).is_empty());
    }
}
