//! Running SQL: parameters in, rows out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rmp::encode::{ValueWriteError, write_bin, write_f64, write_map_len, write_nil, write_sint, write_str};
use rmpv::Value;
use rusqlite::{
    Batch, Connection, Row, Statement,
    fallible_iterator::FallibleIterator,
    types::{ToSqlOutput, ValueRef},
};

use super::{
    super::{
        Bounds, NativeError,
        arguments::kind,
        call::encode,
        error::{INVALID_TYPE, INVALID_VALUE},
    },
    failure::failure,
    script::split_first,
};

/// MessagePack's mark of an array whose length follows as four bytes.
const ARRAY_32: u8 = 0xdd;

/// The rows of one statement: an array of maps.
pub(super) fn query(
    connection: &Connection,
    sql: &str,
    parameters: &[Value],
    bounds: &Bounds<'_>,
) -> Result<Vec<u8>, NativeError> {
    let parameters = spread(parameters)?;
    let rows = with_only_statement(connection, sql, |statement| {
        bind(statement, &parameters)?;
        read_rows(statement, bounds)
    })?;
    Ok(rows.unwrap_or_else(|| encode(&Value::Array(Vec::new()))))
}

/// One statement with its parameters, or without any as many as there are.
pub(super) fn exec(
    connection: &Connection,
    sql: &str,
    parameters: &[Value],
    bounds: &Bounds<'_>,
) -> Result<Vec<u8>, NativeError> {
    let parameters = spread(parameters)?;
    let mut affected = 0;
    let mut run = |statement: &mut Statement<'_>| {
        bind(statement, &parameters)?;
        let before = connection.total_changes();
        let mut rows = statement.raw_query();
        while rows.next().map_err(failure)?.is_some() {}
        if connection.total_changes() != before {
            affected += connection.changes();
        }
        Ok(())
    };
    if parameters.is_empty() && !is_one_statement(sql) {
        let mut rest = sql;
        while !rest.is_empty() {
            bounds.check()?;
            let (first, after) = split_first(rest);
            let mut batch = Batch::new(connection, first);
            while let Some(mut statement) = batch.next().map_err(failure)? {
                run(&mut statement)?;
            }
            rest = after;
        }
    } else {
        with_only_statement(connection, sql, run)?;
    }
    Ok(outcome(connection, affected))
}

/// The answer of `exec`.
pub(super) fn outcome(connection: &Connection, affected: u64) -> Vec<u8> {
    let entries = [
        ("rowsAffected", affected.into()),
        ("lastInsertId", connection.last_insert_rowid().into()),
        ("success", true.into()),
    ];
    encode(&Value::Map(entries.into_iter().map(|(name, value): (&str, Value)| (name.into(), value)).collect()))
}

/// Nothing when there is no statement in it.
fn with_only_statement<T>(
    connection: &Connection,
    sql: &str,
    run: impl FnOnce(&mut Statement<'_>) -> Result<T, NativeError>,
) -> Result<Option<T>, NativeError> {
    // Only this form is kept prepared: rusqlite looks for further statements by calling itself, as often as there are some.
    if is_one_statement(sql) {
        return run(&mut *connection.prepare_cached(sql).map_err(failure)?).map(Some);
    }
    let mut batch = Batch::new(connection, sql);
    let Some(mut statement) = batch.next().map_err(failure)? else {
        return Ok(None);
    };
    if !matches!(batch.next(), Ok(None)) {
        let message = "there are several statements; only exec without parameters takes more than one";
        return Err(NativeError::new(INVALID_VALUE, message));
    }
    run(&mut statement).map(Some)
}

/// Whether that can be seen without knowing SQL.
fn is_one_statement(sql: &str) -> bool {
    let sql = sql.trim().trim_end_matches(';');
    sql.starts_with(|c: char| c.is_ascii_alphabetic()) && !sql.contains(';')
}

/// An array among the arguments stands for its items.
fn spread(arguments: &[Value]) -> Result<Vec<ToSqlOutput<'_>>, NativeError> {
    let mut parameters = Vec::new();
    for argument in arguments {
        let items = argument.as_array().map_or(std::slice::from_ref(argument), Vec::as_slice);
        for item in items {
            parameters.push(ToSqlOutput::Borrowed(to_sql(item)?));
        }
    }
    Ok(parameters)
}

fn to_sql(value: &Value) -> Result<ValueRef<'_>, NativeError> {
    match value {
        Value::Nil => Ok(ValueRef::Null),
        Value::Boolean(value) => Ok(ValueRef::Integer((*value).into())),
        Value::Integer(number) => number.as_i64().map(ValueRef::Integer).ok_or_else(|| {
            NativeError::new("ERR_OUT_OF_RANGE", format!("the parameter {number} is more than SQLite's integers hold"))
        }),
        Value::F32(number) => Ok(ValueRef::Real((*number).into())),
        Value::F64(number) => Ok(ValueRef::Real(*number)),
        Value::String(text) if text.is_str() => Ok(ValueRef::Text(text.as_bytes())),
        Value::Binary(bytes) => Ok(ValueRef::Blob(bytes)),
        _ => {
            let message = format!(
                "a parameter is {}; null, booleans, numbers, strings and Uint8Arrays are possible",
                kind(value)
            );
            Err(NativeError::new(INVALID_TYPE, message))
        }
    }
}

fn bind(statement: &mut Statement<'_>, parameters: &[ToSqlOutput<'_>]) -> Result<(), NativeError> {
    let expected = statement.parameter_count();
    if expected != parameters.len() {
        let message = format!("the statement has {expected} parameters, and {} are given", parameters.len());
        return Err(NativeError::new("SQLITE_RANGE", message));
    }
    for (index, parameter) in parameters.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, parameter).map_err(failure)?;
    }
    Ok(())
}

fn read_rows(statement: &mut Statement<'_>, bounds: &Bounds<'_>) -> Result<Vec<u8>, NativeError> {
    let mut columns = None;
    let mut bytes = vec![ARRAY_32, 0, 0, 0, 0];
    let mut count = 0_u32;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(failure)? {
        // not before: a statement whose tables have changed is prepared anew by its first step
        let columns = match &mut columns {
            Some(columns) => columns,
            none => none.insert(find_columns(row.as_ref())?),
        };
        write_row(&mut bytes, columns, row)?;
        if bytes.len() as u64 > bounds.max_bytes {
            let message =
                format!("the rows have more than the {} bytes that a call may answer; ask for fewer", bounds.max_bytes);
            return Err(NativeError::new("ERR_BUFFER_TOO_LARGE", message));
        }
        count += 1;
    }
    bytes[1..5].copy_from_slice(&count.to_be_bytes());
    Ok(bytes)
}

/// Names and indexes. Of columns with the same name, the last one counts.
fn find_columns(statement: &Statement<'_>) -> Result<Vec<(String, usize)>, NativeError> {
    // A damaged file can have names that are no UTF-8, for which rusqlite panics.
    let names = catch_unwind(AssertUnwindSafe(|| statement.column_names().map(str::to_string).collect::<Vec<_>>()));
    let names = names.map_err(|_| NativeError::new("SQLITE_CORRUPT", "the name of a column is no UTF-8"))?;
    let last = |name: &String| names.iter().rposition(|other| other == name).unwrap_or_default();
    let firsts = names.iter().enumerate().filter(|(index, name)| !names[..*index].contains(name));
    Ok(firsts.map(|(_, name)| (name.clone(), last(name))).collect())
}

fn write_row(bytes: &mut Vec<u8>, columns: &[(String, usize)], row: &Row<'_>) -> Result<(), NativeError> {
    // writing into memory does not fail
    let written =
        |result: Result<(), ValueWriteError>| result.map_err(|error| NativeError::new("EIO", error.to_string()));
    written(write_map_len(bytes, columns.len() as u32).map(drop))?;
    for (name, index) in columns {
        written(write_str(bytes, name))?;
        written(match row.get_ref(*index).map_err(failure)? {
            ValueRef::Null => write_nil(bytes).map_err(ValueWriteError::InvalidMarkerWrite),
            ValueRef::Integer(number) => write_sint(bytes, number).map(drop),
            ValueRef::Real(number) => write_f64(bytes, number),
            ValueRef::Text(text) => write_str(bytes, &String::from_utf8_lossy(text)),
            ValueRef::Blob(blob) => write_bin(bytes, blob),
        })?;
    }
    Ok(())
}
