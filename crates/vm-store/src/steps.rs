//! What is stored together: rows of several tables as one piece of bytes, on its way into the database or the redo log.
//!
//! A step is its action (a byte), the number of its values (a byte), and the values: the type (a byte), then 8 bytes of a
//! number, or 4 of a length and that many bytes. Numbers are little-endian.

use rusqlite::{
    Connection, Error, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::{error::Failure, events, executions, sessions, state};

/// The types of values, as on disk.
const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;

/// What is done with the values of a step. The numbers are on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// A row of `sessions`.
    Session = 1,
    /// A row of `executions`.
    Execution = 2,
    /// Events of the execution before.
    Events = 3,
    /// A change of a session's state.
    Change = 4,
    /// A session's state is not what is stored of it.
    Stale = 5,
}

impl Action {
    const ALL: [Self; 5] = [Self::Session, Self::Execution, Self::Events, Self::Change, Self::Stale];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|action| *action as u8 == byte)
    }
}

/// Steps that are taken together, or not at all.
#[derive(Default)]
pub(crate) struct Steps(pub Vec<u8>);

impl Steps {
    /// Takes them in the database.
    pub fn take(&self, db: &Connection) -> Result<(), Failure> {
        take(db, &self.0)
    }

    pub fn push(&mut self, action: Action, values: &[&dyn ToSql]) -> Result<(), Failure> {
        self.0.extend([action as u8, u8::try_from(values.len()).unwrap_or(u8::MAX)]);
        values.iter().try_for_each(|value| self.push_value(*value))
    }

    fn push_value(&mut self, value: &dyn ToSql) -> Result<(), Failure> {
        let output = value.to_sql()?;
        let value = match &output {
            ToSqlOutput::Borrowed(value) => *value,
            ToSqlOutput::Owned(value) => value.into(),
            other => return Err(Error::ToSqlConversionFailure(format!("{other:?} is no plain value").into()).into()),
        };
        match value {
            ValueRef::Null => self.0.push(NULL),
            ValueRef::Integer(number) => self.push_plain(INTEGER, &number.to_le_bytes()),
            ValueRef::Real(number) => self.push_plain(REAL, &number.to_le_bytes()),
            ValueRef::Text(bytes) => self.push_content(TEXT, bytes)?,
            ValueRef::Blob(bytes) => self.push_content(BLOB, bytes)?,
        }
        Ok(())
    }

    fn push_plain(&mut self, kind: u8, bytes: &[u8]) {
        self.0.push(kind);
        self.0.extend(bytes);
    }

    fn push_content(&mut self, kind: u8, bytes: &[u8]) -> Result<(), Failure> {
        let too_large = |_| Error::ToSqlConversionFailure("the value is larger than 4 GiB".into());
        self.push_plain(kind, &u32::try_from(bytes.len()).map_err(too_large)?.to_le_bytes());
        self.0.extend(bytes);
        Ok(())
    }
}

/// A value of a step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Value<'a>(pub ValueRef<'a>);

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}

/// Takes the steps in `bytes` in the database.
pub(crate) fn take(db: &Connection, bytes: &[u8]) -> Result<(), Failure> {
    let damaged = |why: &str| Failure::Damaged { table: "redo", column: "entry", why: why.into() };
    let (mut rest, mut execution) = (bytes, None);
    while !rest.is_empty() {
        let (action, row) = step(&mut rest).ok_or_else(|| damaged("ends within a step"))?;
        match action {
            Action::Session => sessions::insert(db, &row)?,
            Action::Execution => execution = Some(executions::insert(db, &row)?),
            Action::Events => {
                let n = execution.ok_or_else(|| damaged("has events without an execution"))?;
                events::insert(db, n, &row)?;
            }
            Action::Change => state::take_change(db, &row)?,
            Action::Stale => state::take_stale(db, &row)?,
        }
    }
    Ok(())
}

/// The first step of `bytes`, which go on behind it.
fn step<'a>(bytes: &mut &'a [u8]) -> Option<(Action, Vec<Value<'a>>)> {
    let [action, count] = *bytes.split_off(..2)? else { return None };
    let values = (0..count).map(|_| value(bytes)).collect::<Option<_>>()?;
    Some((Action::of(action)?, values))
}

fn value<'a>(bytes: &mut &'a [u8]) -> Option<Value<'a>> {
    let value = match *bytes.split_off_first()? {
        NULL => ValueRef::Null,
        INTEGER => ValueRef::Integer(i64::from_le_bytes(array(bytes)?)),
        REAL => ValueRef::Real(f64::from_le_bytes(array(bytes)?)),
        TEXT => ValueRef::Text(content(bytes)?),
        BLOB => ValueRef::Blob(content(bytes)?),
        _ => return None,
    };
    Some(Value(value))
}

fn content<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(array(bytes)?);
    bytes.split_off(..length as usize)
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    bytes.split_off(..N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::types::Value as Owned;

    fn any_value() -> impl Strategy<Value = Owned> {
        prop_oneof![
            Just(Owned::Null),
            any::<i64>().prop_map(Owned::Integer),
            (-1e300..1e300).prop_map(Owned::Real),
            ".*".prop_map(Owned::Text),
            any::<Vec<u8>>().prop_map(Owned::Blob),
        ]
    }

    proptest! {
        #[test]
        fn steps_are_read_as_they_were_pushed(rows in prop::collection::vec(prop::collection::vec(any_value(), 0..20), 0..5)) {
            let mut steps = Steps::default();
            for row in &rows {
                let row: Vec<&dyn ToSql> = row.iter().map(|value| value as &dyn ToSql).collect();
                prop_assert!(steps.push(Action::Events, &row).is_ok());
            }
            let mut rest = steps.0.as_slice();
            for row in &rows {
                let (action, values) = step(&mut rest).unwrap();
                prop_assert_eq!(action, Action::Events);
                prop_assert_eq!(&values, &row.iter().map(|value| Value(value.into())).collect::<Vec<_>>());
            }
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn no_bytes_make_a_step_panic(bytes: Vec<u8>) {
            let mut rest = bytes.as_slice();
            while step(&mut rest).is_some() {}
        }
    }
}
