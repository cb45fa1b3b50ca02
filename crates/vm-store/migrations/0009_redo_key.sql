-- What is told to nobody: who could write an entry of the redo log into one, as a script's output, could have it applied.

ALTER TABLE redo ADD COLUMN key BLOB NOT NULL DEFAULT x'';
UPDATE redo SET key = randomblob(8);
