//! What a daemon that was killed has left in its redo log.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
};

use super::{BATCH, LONGEST, frame::Frame, take_all};
use crate::{StoreError, error::Failure, writer::Writer};

/// Applies it, and answers the number of the last entry that ever was.
pub(crate) fn apply(log: &Path, writer: &Writer) -> Result<u64, StoreError> {
    let failed = |failure: Failure| failure.while_doing(format_args!("apply what is left in {}", log.display()));
    let mut applied = writer.applied().map_err(failed)?;
    let bytes = read(log).map_err(|why| StoreError::CannotOpen {
        path: log.into(),
        why: why.to_string(),
        hint: "; make it readable for this user",
    })?;
    for batch in left_over(&bytes, applied, writer.commits()).chunks(BATCH) {
        let entries = batch.iter().map(|frame| (frame.number, frame.steps));
        writer.write(|db| take_all(db, entries)).map_err(failed)?;
        applied = batch.last().map_or(applied, |frame| frame.number);
    }
    Ok(applied)
}

fn read(log: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(log) {
        // All that is behind is older.
        Ok(file) => file.take(2 * LONGEST).read_to_end(&mut bytes).map(|_| bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(bytes),
        Err(error) => Err(error),
    }
}

/// The entries after number `applied` that a database with so many commits can take. Behind the last one the file may have
/// older ones, or a part of one that was never acknowledged.
fn left_over(bytes: &[u8], applied: u64, commits: u64) -> Vec<Frame<'_>> {
    let (mut rest, mut left) = (bytes, Vec::new());
    let mut before = None;
    while let Some(frame) = Frame::decode(&mut rest) {
        if before.is_some_and(|before| frame.number != before + 1) {
            break;
        }
        before = Some(frame.number);
        if frame.number <= applied {
            continue;
        }
        if frame.number != applied + 1 + left.len() as u64 || frame.commits > commits {
            tracing::warn!(entry = frame.number, applied, "the redo log goes on from another state of the database");
            break;
        }
        left.push(frame);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(frames: &[(u64, u64)]) -> Vec<u8> {
        frames.iter().flat_map(|&(number, commits)| Frame { number, commits, steps: b"steps" }.encode()).collect()
    }

    fn numbers(bytes: &[u8], applied: u64, commits: u64) -> Vec<u64> {
        left_over(bytes, applied, commits).iter().map(|frame| frame.number).collect()
    }

    #[test]
    fn what_is_applied_is_not_left_over_and_neither_is_what_is_older_than_the_end() {
        let bytes = log(&[(5, 1), (6, 1), (7, 2), (3, 1), (4, 1)]);
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
        damaged[bytes_of_one() + 30] ^= 1;
        assert_eq!(numbers(&damaged, 4, 2), [5]);
    }

    #[test]
    fn nothing_is_applied_to_a_database_that_lacks_what_was_before() {
        assert_eq!(numbers(&log(&[(5, 1), (6, 3), (7, 3)]), 4, 2), [5]);
        assert!(numbers(&log(&[(5, 1)]), 3, 2).is_empty());
    }

    fn bytes_of_one() -> usize {
        log(&[(1, 1)]).len()
    }
}
