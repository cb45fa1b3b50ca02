//! What a daemon that was killed has left in its redo log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

use vm_model::SessionId;

use super::{
    BATCH, crash,
    frame::{Frame, Head, Key, is_of_another_version, traces},
    note_applied, take_each,
};
use crate::{StoreError, error::Failure, writer::Writer};

const LOST: &str = "what its last executions did was damaged on the disk, in the redo log of the database, and is lost; \
    create a new session, and check the disk";

/// Applies it, and answers the number of the last entry that ever was, and the key of the entries. Sessions of which something
/// is lost by damage are `crashed` from then on.
pub(crate) fn apply(log: &Path, writer: &Writer, boot: u32) -> Result<(u64, Key), StoreError> {
    let failed = |failure: Failure| failure.while_doing(format_args!("apply what is left in {}", log.display()));
    let unreadable = |why: io::Error| StoreError::CannotOpen {
        path: log.into(),
        why: why.to_string(),
        hint: "; make it readable for this user",
    };
    let (applied, key) = applied(writer).map_err(failed)?;
    let mut file = match File::open(log) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((applied, key)),
        Err(error) => return Err(unreadable(error)),
    };
    if is_of_another_version(&mut file).map_err(unreadable)? {
        return Err(StoreError::CannotOpen {
            path: log.into(),
            why: "another version of vm-system that was killed has left it".into(),
            hint: "; start that version once more with the same database, and stop it",
        });
    }
    let mut left = LeftOver { file, key, at: 0, before: None, applied, commits: writer.commits(), end: None };
    loop {
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some(frame) = left.next().map_err(unreadable)?
        {
            batch.push(frame);
        }
        if batch.is_empty() {
            break;
        }
        writer.write(|db| take_each(db, batch.iter())).map_err(failed)?;
    }
    let behind = left.behind(boot).map_err(unreadable)?;
    let last = if behind.found.is_empty() { left.applied } else { behind.apply(writer).map_err(failed)? };
    Ok((last, key))
}

/// The number of the last entry that the database has, and the key.
fn applied(writer: &Writer) -> Result<(u64, Key), Failure> {
    let find = "SELECT applied, key FROM redo";
    writer.pause(|db| Ok(db.query_row(find, [], |row| Ok((row.get(0)?, Key(row.get(1)?))))?))
}

/// The entries after number `applied` that a database with so many commits can take. Behind the last one the file may have
/// older ones, or a part of one that was never acknowledged.
struct LeftOver<R> {
    file: R,
    key: Key,
    /// Where it goes on in the file.
    at: u64,
    /// The number of the entry before, whether it was applied or not.
    before: Option<u64>,
    applied: u64,
    commits: u64,
    end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// What comes is not the next entry.
    NoEntry,
    /// The database lacks something that was before the next entry.
    OtherState,
}

impl<R: Read + Seek> LeftOver<R> {
    fn next(&mut self) -> io::Result<Option<Frame>> {
        while self.end.is_none() {
            match Frame::read(&mut self.file, self.key)? {
                Some(frame) if self.before.is_none_or(|before| frame.head.number == before + 1) => {
                    self.at += frame.length();
                    self.before = Some(frame.head.number);
                    if frame.head.number <= self.applied {
                        continue;
                    }
                    if self.can_take(&frame.head) {
                        self.applied = frame.head.number;
                        return Ok(Some(frame));
                    }
                    self.end = Some(End::OtherState);
                }
                _ => self.end = Some(End::NoEntry),
            }
        }
        Ok(None)
    }

    /// Whether the database has all that was before it.
    fn can_take(&self, head: &Head) -> bool {
        let can = head.number == self.applied + 1 && head.commits <= self.commits;
        if !can {
            tracing::warn!(head.number, self.applied, "the redo log goes on from another state of the database");
        }
        can
    }

    /// What there is of later entries behind the end: then that is damage. Not if the machine was off since, because what
    /// was not on the disk by then is not damaged.
    fn behind(&mut self, boot: u32) -> io::Result<Behind> {
        let mut rest = Vec::new();
        if self.end == Some(End::NoEntry) {
            self.file.seek(SeekFrom::Start(self.at))?;
            self.file.read_to_end(&mut rest)?;
        }
        let mut found = BTreeMap::new();
        for (head, frame) in traces(&rest, self.key) {
            if head.number > self.applied && head.commits <= self.commits && head.boot == boot {
                let (_, known) = found.entry(head.number).or_insert((head.session, None));
                *known = known.take().or(frame);
            }
        }
        Ok(Behind { applied: self.applied, found })
    }
}

/// What comes after an entry that is damaged.
struct Behind {
    /// The number of the last entry before the damage.
    applied: u64,
    /// By number, whose it is, and the entry itself if it is whole.
    found: BTreeMap<u64, (SessionId, Option<Frame>)>,
}

impl Behind {
    /// Applies what misses nothing, and answers the number of the last entry.
    fn apply(self, writer: &Writer) -> Result<u64, Failure> {
        let last = self.found.keys().next_back().copied().unwrap_or(self.applied);
        let (whole, lost) = self.sort();
        writer.write(|db| {
            take_each(db, whole.iter())?;
            lost.iter().try_for_each(|session| crash(db, *session, LOST))?;
            note_applied(db, last)
        })?;
        for session_id in lost {
            tracing::error!(%session_id, "what was answered last is lost: the redo log is damaged");
        }
        Ok(last)
    }

    /// The entries that can be applied, and the sessions that lack one. Where it cannot be told whose an entry was, nobody's
    /// can be behind it.
    fn sort(self) -> (Vec<Frame>, BTreeSet<SessionId>) {
        let (mut whole, mut lost, mut before, mut missing) = (Vec::new(), BTreeSet::new(), self.applied, 0);
        for (number, (session, frame)) in self.found {
            missing += number - before - 1;
            before = number;
            match frame {
                Some(frame) if missing == 0 && !lost.contains(&session) => whole.push(frame),
                _ => drop(lost.insert(session)),
            }
        }
        if missing > 0 {
            tracing::error!(
                missing,
                "the redo log is damaged so that nothing tells of which sessions entries are lost"
            );
        }
        (whole, lost)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const KEY: Key = Key([7; 8]);
    const BOOT: u32 = 3;

    fn id(session: u8) -> SessionId {
        SessionId::from_bytes([session; 16])
    }

    /// Of the numbers, the commits and the sessions.
    fn frames(entries: &[(u64, u64, u8)]) -> Vec<Vec<u8>> {
        let frame = |&(number, commits, session)| {
            let head = Head { number, commits, boot: BOOT, session: id(session) };
            Frame { head, steps: b"steps".into() }.encode(KEY)
        };
        entries.iter().map(frame).collect()
    }

    /// The numbers of the entries that are left over, and what is behind them.
    fn left_over(bytes: Vec<u8>, applied: u64, commits: u64) -> (Vec<u64>, LeftOver<Cursor<Vec<u8>>>) {
        let mut left =
            LeftOver { file: Cursor::new(bytes), key: KEY, at: 0, before: None, applied, commits, end: None };
        let numbers = std::iter::from_fn(|| left.next().unwrap()).map(|frame| frame.head.number).collect();
        assert_eq!(left.next().unwrap(), None);
        (numbers, left)
    }

    fn numbers(frames: &[Vec<u8>], applied: u64, commits: u64) -> Vec<u64> {
        let (numbers, mut left) = left_over(frames.concat(), applied, commits);
        assert!(left.behind(BOOT).unwrap().found.is_empty());
        numbers
    }

    /// The numbers before the damage, those that can be applied behind it, and the sessions that have lost something.
    fn damaged(frames: &[Vec<u8>]) -> (Vec<u64>, Vec<u64>, Vec<SessionId>) {
        let (numbers, mut left) = left_over(frames.concat(), 4, 2);
        assert!(left.behind(BOOT + 1).unwrap().found.is_empty(), "the machine was off since");
        let (whole, lost) = left.behind(BOOT).unwrap().sort();
        (numbers, whole.iter().map(|frame| frame.head.number).collect(), lost.into_iter().collect())
    }

    #[test]
    fn what_is_applied_is_not_left_over_and_neither_is_what_is_older_than_the_end() {
        let frames = frames(&[(5, 1, 1), (6, 1, 1), (7, 2, 1), (3, 1, 1), (4, 1, 1)]);
        assert_eq!(numbers(&frames, 4, 2), [5, 6, 7]);
        assert_eq!(numbers(&frames, 6, 2), [7]);
        assert!(numbers(&frames, 7, 2).is_empty());
        assert!(numbers(&[], 7, 2).is_empty());
    }

    #[test]
    fn what_is_not_written_to_its_end_is_nothing() {
        let mut frames = frames(&[(5, 1, 1), (6, 1, 1), (7, 1, 1), (1, 1, 2)]);
        for length in (0..frames[2].len()).rev() {
            frames[2].truncate(length);
            assert_eq!(numbers(&frames[..3], 4, 2), [5, 6]);
            // With all of the steps it is one, whatever is behind them.
            let is_whole = length >= 57;
            assert_eq!(numbers(&frames, 4, 2), [5, 6, 7][..2 + usize::from(is_whole)]);
        }
    }

    #[test]
    fn nothing_is_applied_to_a_database_that_lacks_what_was_before() {
        assert_eq!(numbers(&frames(&[(5, 1, 1), (6, 3, 1), (7, 1, 1)]), 4, 2), [5]);
        assert!(numbers(&frames(&[(5, 1, 1)]), 3, 2).is_empty());
    }

    #[test]
    fn damage_costs_the_session_whose_entry_it_is_what_follows_and_no_other_anything() {
        let whole = frames(&[(5, 1, 1), (6, 1, 2), (7, 1, 3), (8, 1, 2), (9, 1, 3), (2, 1, 9)]);
        for at in 0..whole[1].len() - 52 {
            let mut frames = whole.clone();
            frames[1][at] ^= 1;
            assert_eq!(damaged(&frames), (vec![5], vec![7, 9], vec![id(2)]));
            frames[4][at] ^= 1;
            assert_eq!(damaged(&frames), (vec![5], vec![7], vec![id(2), id(3)]));
        }
    }

    #[test]
    fn damage_of_the_last_entry_and_of_one_that_was_applied_is_noticed_too() {
        let mut frames = frames(&[(4, 1, 1), (5, 1, 2), (3, 1, 9)]);
        frames[1][54] ^= 1;
        assert_eq!(damaged(&frames), (vec![], vec![], vec![id(2)]));
        frames[1][54] ^= 1;
        frames[0][0] ^= 1;
        assert_eq!(damaged(&frames), (vec![], vec![5], vec![]));
    }

    #[test]
    fn behind_what_is_wholly_gone_nobody_has_all() {
        let mut frames = frames(&[(5, 1, 1), (6, 1, 2), (7, 1, 3), (8, 1, 1)]);
        frames[1].fill(0);
        assert_eq!(damaged(&frames), (vec![5], vec![], vec![id(1), id(3)]));
    }
}
