-- The events of an execution, many to a row: one with ten thousand of them would hold up all other writers, row by row.

CREATE TABLE event_chunks (
    execution INTEGER NOT NULL REFERENCES executions (n) ON DELETE CASCADE,
    last_seq  INTEGER NOT NULL CHECK (last_seq > 0),  -- of its last event
    events    TEXT NOT NULL,                          -- 'seq ts type payload' each, with a record separator (30) between
    PRIMARY KEY (execution, last_seq)
) STRICT, WITHOUT ROWID;

INSERT INTO event_chunks
    SELECT execution, max(seq), group_concat(seq || ' ' || ts || ' ' || type || ' ' || payload, char(30) ORDER BY seq)
    FROM events GROUP BY execution, (seq - 1) / 64;

DROP TABLE events;
