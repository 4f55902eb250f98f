-- The revocation feed: what registries must hear of, because a registry token may say more than its subject still holds.

-- The number of the last row of the feed. A transaction that can take a right away adds to it, and a registry token carries
-- the number that stood where its rights were read.
INSERT INTO counters (name, value) VALUES ('revocation', 0);

-- A row voids every registry token with a smaller number that it names.
CREATE TABLE revocations (
    number   INTEGER NOT NULL PRIMARY KEY,
    kind     TEXT    NOT NULL CHECK (kind IN ('subject', 'credential', 'namespace', 'repository')),
    name     TEXT    NOT NULL,                   -- as shared/src/revocations.rs says for each kind
    noted_at INTEGER                             -- when it was first seen by whoever lets old rows go
) STRICT;

-- Which database this is. A backup that was put in its place is another one: what had been revoked since is forgotten in it,
-- so no token from before is good any more.
CREATE TABLE incarnation (
    id   TEXT    NOT NULL PRIMARY KEY,
    file INTEGER NOT NULL                        -- the inode of the database's file, by which the change is noticed
) STRICT;

-- Secrets that were rotated away: when their time is over, a row of the feed says so.
CREATE INDEX rotated_secrets ON access_tokens (old_until) WHERE old_until IS NOT NULL;
