-- What somebody asked for at /token and was not granted: a refused push or pull prints the id, and whoever runs the instance
-- looks it up. Kept for days, and not more than some thousand.
CREATE TABLE decisions (
    id         TEXT    NOT NULL PRIMARY KEY,    -- the `jti` of the registry token that grants less
    subject    TEXT    NOT NULL,                -- an account's name; empty: an anonymous client
    address    TEXT,
    asked      TEXT    NOT NULL,                -- scopes, as the Docker token specification writes them
    granted    TEXT    NOT NULL,
    decided_at INTEGER NOT NULL
) STRICT;

CREATE INDEX decisions_by_time ON decisions (decided_at);
