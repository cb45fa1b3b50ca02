-- Every table: `n` is the order of insertion, ids are the 16 bytes of a UUID, times are microseconds since 1970 UTC,
-- and a column marked "JSON" holds a document as text, so that a new field in it needs no migration.

CREATE TABLE templates (
    n               INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    name            TEXT NOT NULL UNIQUE,
    engine          TEXT NOT NULL,
    is_active       INTEGER NOT NULL,
    settings        TEXT NOT NULL,              -- JSON
    exposed_modules TEXT NOT NULL,              -- JSON
    libraries       TEXT NOT NULL,              -- JSON
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE startup_files (
    n           INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    template_id BLOB NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
    path        TEXT NOT NULL,
    order_index INTEGER NOT NULL,
    mode        TEXT NOT NULL,
    UNIQUE (template_id, path)
) STRICT;

CREATE TABLE sessions (
    n               INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    template_id     BLOB NOT NULL,              -- no reference: a session outlives its template
    workspace_id    TEXT NOT NULL,
    base_commit_oid TEXT NOT NULL,
    worktree_path   TEXT NOT NULL,
    status          TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    closed_at       INTEGER,
    last_error      TEXT,
    runtime_meta    TEXT,                       -- JSON
    template        TEXT NOT NULL               -- JSON: the template as it was when the session was made from it
) STRICT;

-- Each also holds `n`, so that the newest of a status or template are found without sorting.
CREATE INDEX sessions_by_status ON sessions (status);
CREATE INDEX sessions_by_template ON sessions (template_id);

CREATE TABLE executions (
    n          INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    session_id BLOB NOT NULL REFERENCES sessions (id),
    kind       TEXT NOT NULL,
    input      TEXT,
    path       TEXT,
    args       TEXT,                            -- JSON, NULL if empty
    env        TEXT,                            -- JSON, NULL if empty
    status     TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    result     TEXT,                            -- JSON
    error      TEXT,                            -- JSON
    metrics    TEXT NOT NULL                    -- JSON
) STRICT;

CREATE INDEX executions_by_session ON executions (session_id);

CREATE TABLE events (
    execution INTEGER NOT NULL REFERENCES executions (n) ON DELETE CASCADE,
    seq       INTEGER NOT NULL,
    ts        INTEGER NOT NULL,
    type      TEXT NOT NULL,
    payload   TEXT NOT NULL,                    -- JSON
    PRIMARY KEY (execution, seq)
) STRICT, WITHOUT ROWID;
