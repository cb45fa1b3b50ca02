//! SQL that asks for all the memory that SQLite may have. In a process of its own, because all connections share that.

mod support;

use support::database::{exec, query, value, with};

#[test]
fn a_statement_that_becomes_immense_while_it_is_read_is_refused() {
    let mut session = with(":memory:");
    exec(&mut session, "CREATE TABLE t (x)").unwrap();
    let tenfold = ["x"; 10].join(" + ");
    let from = (0..9).fold("t".to_string(), |from, _| format!("(SELECT {tenfold} AS x FROM {from})"));
    let error = query(&mut session, &format!("SELECT x FROM {from}")).unwrap_err();
    assert_eq!(error.code, "SQLITE_NOMEM", "{error}");
    assert_eq!(value(&mut session, "SELECT 2"), 2.into());
}
