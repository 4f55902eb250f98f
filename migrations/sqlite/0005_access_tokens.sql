-- Access tokens: secrets that stand in for an account's password. Each is 256 random bits, so what is kept of one is its
-- plain SHA-256.

CREATE TABLE access_tokens (
    id           TEXT    NOT NULL PRIMARY KEY,
    account_id   TEXT    NOT NULL REFERENCES accounts (id),
    name         TEXT    NOT NULL,
    limits       TEXT    NOT NULL,             -- `repository:acme/app:write namespace:library:read`; empty: none
    secret_hash  TEXT    NOT NULL UNIQUE,
    old_hash     TEXT    UNIQUE,               -- of the secret before the last rotation,
    old_until    INTEGER,                      -- which opens until then
    expires_at   INTEGER,
    last_used_at INTEGER,                      -- up to a minute behind
    created_at   INTEGER NOT NULL,
    UNIQUE (account_id, name),
    CHECK ((old_hash IS NULL) = (old_until IS NULL))
) STRICT;
