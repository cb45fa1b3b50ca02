//! The module `database`: what `configure` opens, what `ATTACH` opens, and SQL that leads to files by itself.

use serde_json::json;

use crate::world::World;

/// DSNs that are no file of the worktree, with what is said about each.
const NAMES: [(&str, &str); 45] = [
    ("../secret.db", "EACCES: the path leads out of the worktree"),
    ("sub/../../secret.db", "leads out of the worktree"),
    ("../new.db", "leads out of the worktree"),
    ("../into/inside.db", "leads out of the worktree"),
    ("$OUT/secret.db", "leads out of the worktree"),
    ("$OUT/new.db", "leads out of the worktree"),
    ("$OUT/into/inside.db", "leads out of the worktree"),
    ("$WORK/../secret.db", "leads out of the worktree"),
    ("$WORK-sibling/secret.db", "leads out of the worktree"),
    ("up/secret.db", "leads out of the worktree"),
    ("sub/up/secret.db", "leads out of the worktree"),
    ("folder/secret.db", "leads out of the worktree"),
    ("absolute-folder/new.db", "leads out of the worktree"),
    ("sibling/secret.db", "leads out of the worktree"),
    ("back/inside.db", "leads out of the worktree"),
    ("proc-cwd/x.db", "leads out of the worktree"),
    ("/proc/self/cwd/x.db", "leads out of the worktree"),
    ("link.db", "EINVAL: link.db has to be a regular file, and is a folder, symlink, pipe, device or socket"),
    ("absolute.db", "has to be a regular file"),
    ("chain.db", "has to be a regular file"),
    ("dangling.db", "has to be a regular file"),
    ("loop.db", "has to be a regular file"),
    ("and-back.db", "has to be a regular file"),
    ("fifo.db", "has to be a regular file"),
    ("journal.db", "journal.db-journal has to be a regular file"),
    ("wal.db", "wal.db-wal has to be a regular file"),
    ("shm.db", "shm.db-shm has to be a regular file"),
    ("up", "has to be a regular file"),
    ("sub", "has to be a regular file"),
    ("..", "names no file"),
    ("", "names no file"),
    ("file:", "names no file"),
    ("file:../secret.db", "leads out of the worktree"),
    ("file:../secret.db?mode=ro", "leads out of the worktree"),
    ("file:$OUT/secret.db", "leads out of the worktree"),
    ("file://$OUT/secret.db", "leads out of the worktree"),
    ("file://localhost$OUT/secret.db", "leads out of the worktree"),
    ("file:%2e%2e/secret.db", "leads out of the worktree"),
    ("file:%2E%2E%2Fsecret.db?mode=rw", "leads out of the worktree"),
    ("file:sub/%2e%2e/%2e%2e/secret.db", "leads out of the worktree"),
    ("file:link.db?mode=ro", "has to be a regular file"),
    ("file:inside.db%00../secret.db", "has a damaged % in it"),
    ("file:inside.db?vfs=unix-none", "has the option \"vfs=unix-none\""),
    ("file:inside.db?immutable=1", "has the option \"immutable=1\""),
    ("file://elsewhere$OUT/secret.db", "names another machine"),
];

#[test]
fn configure_opens_nothing_but_files_of_the_worktree() {
    let world = World::new();
    let session = world.session(&json!({}), &["database"]);
    for (name, said) in NAMES {
        world.fails(&session, &format!("require('database').configure('sqlite', '{name}')"), said);
    }
    for (arguments, said) in [
        ("'sqlite', '../secret.db\\0'", "\"dsn\" has a NUL character"),
        ("'sqlite', 'inside.db\\0../../secret.db'", "\"dsn\" has a NUL character"),
        ("'sqlite', ['../secret.db']", "\"dsn\" must be a string, not an array"),
        ("'../secret.db', 'inside.db'", "\"driver\" is \"../secret.db\"; there are sqlite3 and sqlite"),
        ("'sqlite', 'sub/../'.repeat(700) + '../secret.db'", "ENAMETOOLONG"),
        ("'sqlite', 'x'.repeat(300)", "SQLITE_CANTOPEN"),
    ] {
        let code = format!(
            "try {{ require('database').configure({arguments}) }} catch (e) {{ throw e.code + ': ' + e.message }}"
        );
        world.fails(&session, &code, said);
    }
}

#[test]
fn attach_opens_nothing_but_files_of_the_worktree() {
    let world = World::new();
    let session = world.session(&json!({}), &["database"]);
    world.daemon.preview(&session, "var db = require('database'); db.configure('sqlite', 'inside.db')");
    for (name, said) in NAMES {
        world.fails(&session, &format!("db.exec(\"ATTACH '{name}' AS o\")"), said);
        world.fails(&session, &format!("db.query('ATTACH DATABASE ? AS o', '{name}')"), said);
    }
    assert_eq!(world.daemon.preview(&session, "db.query('SELECT * FROM pragma_database_list').length"), "1");
}

#[test]
fn no_sql_reaches_another_file() {
    let world = World::new();
    let session = world.session(&json!({}), &["database"]);
    world.daemon.preview(&session, "var db = require('database'); db.configure('sqlite', 'inside.db')");
    for (sql, said) in [
        ("ATTACH '$OUT/secret' || '.db' AS o", "can be attached only by a name that is written in the statement"),
        ("ATTACH (SELECT '$OUT/secret.db') AS o", "can be attached only by a name"),
        ("/* */ ATTACH '$OUT/secret.db' AS o", "the database \"$OUT/secret.db\" cannot be opened here"),
        ("-- \n ATTACH '$OUT/secret.db' AS o", "cannot be opened here"),
        ("SELECT 1; ATTACH '$OUT/secret.db' AS o", "cannot be opened here"),
        ("ATTACH '$OUT/secret.db' AS o; SELECT * FROM o.sqlite_schema", "cannot be opened here"),
        ("EXPLAIN ATTACH '$OUT/secret.db' AS o", "cannot be opened here"),
        ("ATTACH '../secret.db' AS o KEY 'k'", "cannot be opened here"),
        ("ATTACH 'inside.db' AS o; SELECT 1", "ATTACH of a file of the worktree has to be a call of its own"),
        ("VACUUM INTO '$OUT/new.db'", "VACUUM INTO is not possible"),
        ("VACUUM INTO '../new.db'", "VACUUM INTO is not possible"),
        ("VACUUM INTO 'file:../new.db'", "VACUUM INTO is not possible"),
        ("VACUUM main INTO '$OUT/secret.db'", "VACUUM INTO is not possible"),
        ("VACUUM INTO '../' || 'new.db'", "VACUUM INTO is not possible"),
        ("VACUUM INTO 'dangling.db'", "VACUUM INTO is not possible"),
        ("SELECT load_extension('$OUT/folder/secret')", "not authorized to use function: load_extension"),
        ("SELECT load_extension('x', 'y')", "not authorized to use function: load_extension"),
        ("SELECT fts3_tokenizer('simple')", "not authorized to use function: fts3_tokenizer"),
        ("SELECT readfile('$OUT/secret.txt')", "no such function: readfile"),
        ("SELECT writefile('$OUT/new.txt', 'x')", "no such function: writefile"),
        ("SELECT edit('x', 'vi')", "no such function: edit"),
        ("SELECT * FROM fsdir('$OUT')", "no such table: fsdir"),
        ("CREATE VIRTUAL TABLE z USING zipfile('$OUT/x.zip')", "no such module: zipfile"),
        ("CREATE VIRTUAL TABLE z USING csv(filename='$OUT/secret.txt')", "no such module: csv"),
        ("PRAGMA temp_store_directory = '$OUT'", "PRAGMA temp_store_directory is not available"),
        ("PRAGMA data_store_directory = '$OUT'", "PRAGMA data_store_directory is not available"),
        ("PRAGMA journal_mode = WAL", "PRAGMA journal_mode can be read, but not set"),
        ("PRAGMA writable_schema = ON", "PRAGMA writable_schema is not available"),
        ("PRAGMA trusted_schema = ON", "PRAGMA trusted_schema is not available"),
        ("PRAGMA mmap_size = 1000000", "PRAGMA mmap_size can be read, but not set"),
        (".open ../secret.db", "syntax error"),
        (".load ../secret", "syntax error"),
        ("BEGIN; ATTACH '../new.db' AS o; COMMIT", "cannot be opened here"),
    ] {
        let code = format!("db.exec({})", json!(sql));
        world.fails(&session, &code, said);
    }
    assert_eq!(world.daemon.preview(&session, "db.query('SELECT * FROM t').length"), "1");
}
