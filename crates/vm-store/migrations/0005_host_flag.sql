-- So that it is noticed if the state outside of a session's memory is not there any more.

ALTER TABLE sessions ADD COLUMN has_host INTEGER NOT NULL DEFAULT 0;

UPDATE sessions SET has_host = 1 WHERE n IN (SELECT session FROM session_hosts);
