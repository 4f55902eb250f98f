-- Requests that carried an Idempotency-Key, for a day: a second one with the same key is answered as the first was.

CREATE TABLE idempotent_requests (
    account_id   TEXT    NOT NULL REFERENCES accounts (id),
    key_hash     TEXT    NOT NULL,
    request_hash TEXT    NOT NULL,             -- of method, address and body
    status       INTEGER,                      -- of the answer; NULL: being carried out, or cut off in the middle
    location     TEXT,
    body         TEXT,
    had_secret   INTEGER NOT NULL DEFAULT 0,   -- so the body is not kept
    begun_at     INTEGER NOT NULL,
    PRIMARY KEY (account_id, key_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotent_requests_begun ON idempotent_requests (begun_at);
