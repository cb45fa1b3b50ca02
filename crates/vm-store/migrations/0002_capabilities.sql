CREATE TABLE capabilities (
    n           INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    template_id BLOB NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    enabled     INTEGER NOT NULL,
    config      TEXT NOT NULL,                  -- JSON
    UNIQUE (template_id, kind, name)
) STRICT;
