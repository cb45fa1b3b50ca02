//! Running a `SELECT`, and naming the column that cannot be read.

use rusqlite::{Connection, Error, Params, Row, types::FromSql};

use crate::error::Failure;

/// The first row, if there is one.
pub(crate) fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    decode: impl FnMut(&Row<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    db.prepare_cached(sql)?.query_and_then(params, decode)?.next().transpose()
}

/// Every row.
pub(crate) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    decode: impl FnMut(&Row<'_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    db.prepare_cached(sql)?.query_and_then(params, decode)?.collect()
}

/// Every row that can be read. One that cannot hides none of the others, and is in the log.
pub(crate) fn readable<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut decode: impl FnMut(&Row<'_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let rows = all(db, sql, params, |row| match decode(row) {
        Err(Failure::Damaged { table, column, why }) => {
            tracing::error!(table, column, why, "a damaged row is left out of a list");
            Ok(None)
        }
        decoded => decoded.map(Some),
    })?;
    Ok(rows.into_iter().flatten().collect())
}

/// A row of one table, which can therefore say where a damaged value is.
pub(crate) struct Record<'a> {
    pub table: &'static str,
    pub row: &'a Row<'a>,
}

impl Record<'_> {
    pub(crate) fn get<T: FromSql>(&self, column: &'static str) -> Result<T, Failure> {
        self.row.get(column).map_err(|error| {
            let why = match error {
                Error::FromSqlConversionFailure(_, _, cause) => format!("cannot be read ({cause})"),
                Error::InvalidColumnType(_, _, found) => format!("is of the wrong type ({found})"),
                other => format!("cannot be read ({other})"),
            };
            Failure::Damaged { table: self.table, column, why }
        })
    }
}
