-- So that many events are fewer pages: for the disk, and for those who wait while they are written.

ALTER TABLE event_chunks ADD COLUMN packed BLOB;  -- `events` with its length, as LZ4; that is empty then
