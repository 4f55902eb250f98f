-- Sessions of browsers: each is known by a secret of 256 random bits in a cookie, of which the plain SHA-256 is kept. One
-- that was ended has no row.

CREATE TABLE sessions (
    id             TEXT    NOT NULL PRIMARY KEY,
    account_id     TEXT    NOT NULL REFERENCES accounts (id),
    secret_hash    TEXT    NOT NULL UNIQUE,
    user_agent     TEXT    NOT NULL,             -- what the browser calls itself
    created_at     INTEGER NOT NULL,
    last_used_at   INTEGER NOT NULL,             -- up to a minute behind
    last_used_from TEXT                          -- NULL: the address is not known
) STRICT;

CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_age ON sessions (created_at);
