-- How far the redo log beside the file has been applied to it.

CREATE TABLE redo (
    commits INTEGER NOT NULL,  -- how many transactions there have been: an entry may need what one of them did
    applied INTEGER NOT NULL   -- the number of the last entry
) STRICT;

-- Where the numbers begin is each database's own, so that it takes no other one's entries for its own.
INSERT INTO redo VALUES (0, abs(random() / 65536));
