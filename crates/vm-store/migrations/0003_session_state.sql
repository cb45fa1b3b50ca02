-- The memory of sessions. A session's memory is its image (or the engine's own) with its changes laid over it, in order.

CREATE TABLE images (
    n        INTEGER PRIMARY KEY AUTOINCREMENT, -- the number of a deleted one is never another's
    key      BLOB NOT NULL,                     -- the hash of all that its content comes from; more than one may have it
    guest    BLOB NOT NULL,                     -- the hash of the engine's guest that made it
    bytes    INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    used_at  INTEGER NOT NULL                   -- when a session was last made from it, to the hour
) STRICT;

CREATE INDEX images_by_key ON images (key);

-- Apart from `images`, so that noting a use does not write the content again.
CREATE TABLE image_contents (
    image   INTEGER PRIMARY KEY REFERENCES images (n) ON DELETE CASCADE,
    recipe  BLOB NOT NULL,
    content BLOB NOT NULL
) STRICT;

ALTER TABLE sessions ADD COLUMN parent BLOB;                 -- the id of the session it was forked from
ALTER TABLE sessions ADD COLUMN guest BLOB;                  -- NULL: there is no state (any more)
ALTER TABLE sessions ADD COLUMN image INTEGER REFERENCES images (n);
ALTER TABLE sessions ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;  -- how many there are in session_changes
ALTER TABLE sessions ADD COLUMN is_stale INTEGER NOT NULL DEFAULT 0; -- memory has moved on from what is stored
ALTER TABLE sessions ADD COLUMN ended_at INTEGER;            -- when it was closed or crashed

UPDATE sessions SET ended_at = coalesce(closed_at, created_at) WHERE status IN ('closed', 'crashed');

-- For deleting an image, and for telling the images that are used.
CREATE INDEX sessions_by_image ON sessions (image) WHERE image IS NOT NULL;
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE session_changes (
    n        INTEGER PRIMARY KEY,
    session  INTEGER NOT NULL REFERENCES sessions (n) ON DELETE CASCADE,
    seq      INTEGER NOT NULL,                  -- from 1 without a gap
    bytes    INTEGER NOT NULL,                  -- of `memory`
    checksum INTEGER NOT NULL,
    memory   BLOB NOT NULL
) STRICT;

-- Also holds the size, so that no memory is read to sum it up.
CREATE INDEX session_changes_by_session ON session_changes (session, seq, bytes);

-- The state of a session outside of its memory. Replaced as a whole, which is why it is not in the changes.
CREATE TABLE session_hosts (
    session  INTEGER PRIMARY KEY REFERENCES sessions (n) ON DELETE CASCADE,
    checksum INTEGER NOT NULL,
    host     BLOB NOT NULL
) STRICT;

-- An execution that is to be seen as cancelled if the daemon dies has a row before it ends.
CREATE INDEX executions_running ON executions (n) WHERE status = 'running';
