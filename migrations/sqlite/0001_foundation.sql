-- Accounts, organisations, namespaces, repositories, grants, and what registries told of their content.
--
-- Conventions. Ids are UUIDs (version 7) as TEXT and are never used again, so that nothing signed for a thing can ever
-- mean another one of the same name. Times are microseconds since the Unix epoch (INTEGER has 64 bits). Columns that
-- end in `_by` hold the name of the account that did it, as it was called then: they are a record, not a right.
-- Booleans are 0 or 1.

CREATE TABLE accounts (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,         -- tokens name their subject so: never given to another account
    password_hash TEXT    NOT NULL,               -- a PHC string, argon2id
    is_admin      INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1)),
    disabled_at   INTEGER,                        -- since when it may do nothing at all
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE organisations (
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL UNIQUE,         -- held for ever, also when deleted
    display_name TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    deleted_at   INTEGER
) STRICT;

CREATE TABLE members (
    organisation_id TEXT    NOT NULL REFERENCES organisations (id),
    account_id      TEXT    NOT NULL REFERENCES accounts (id),
    role            TEXT    NOT NULL CHECK (role IN ('owner', 'member')),
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_by_account ON members (account_id);

-- Belongs to one account, to one organisation, or to nobody: only `library` does.
CREATE TABLE namespaces (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE,
    account_id      TEXT    UNIQUE REFERENCES accounts (id),
    organisation_id TEXT    UNIQUE REFERENCES organisations (id),
    created_at      INTEGER NOT NULL,
    CHECK (account_id IS NULL OR organisation_id IS NULL)
) STRICT;

INSERT INTO namespaces (id, name, created_at) VALUES ('00000000-0000-7000-8000-000000000000', 'library', 0);

-- The namespaces where anything can be or happen: that of a deleted organisation only holds its name.
CREATE VIEW live_namespaces AS
SELECT n.id, n.name, n.account_id, n.organisation_id, n.created_at
FROM namespaces n LEFT JOIN organisations o ON o.id = n.organisation_id
WHERE o.deleted_at IS NULL;

CREATE TABLE repositories (
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL UNIQUE,         -- a deleted repository holds its name until it is purged
    namespace_id TEXT    NOT NULL REFERENCES namespaces (id),
    visibility   TEXT    NOT NULL CHECK (visibility IN ('private', 'public')),
    description  TEXT    NOT NULL DEFAULT '',
    star_count   INTEGER NOT NULL DEFAULT 0,
    official     INTEGER NOT NULL DEFAULT 0 CHECK (official IN (0, 1)),
    state        TEXT    NOT NULL DEFAULT 'initialized' CHECK (state IN ('initialized', 'ready')),
    created_by   TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    deleted_at   INTEGER
) STRICT;

CREATE INDEX repositories_by_namespace ON repositories (namespace_id);
CREATE INDEX public_repositories ON repositories (namespace_id) WHERE visibility = 'public' AND deleted_at IS NULL;

-- On a whole namespace or on one repository.
CREATE TABLE grants (
    id            TEXT    NOT NULL PRIMARY KEY,
    namespace_id  TEXT    REFERENCES namespaces (id),
    repository_id TEXT    REFERENCES repositories (id),
    account_id    TEXT    REFERENCES accounts (id),
    role          TEXT    NOT NULL CHECK (role IN ('read', 'write', 'maintain', 'admin')),
    created_by    TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    CHECK ((namespace_id IS NULL) <> (repository_id IS NULL)),
    UNIQUE (namespace_id, account_id),
    UNIQUE (repository_id, account_id)
) STRICT;

CREATE INDEX grants_by_account ON grants (account_id);

-- Numbers that only grow. `turn`: given to whoever is about to change content or report on it; per digest and tag a
-- report with a smaller number than the one taken is late and is ignored.
CREATE TABLE counters (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counters (name, value) VALUES ('turn', 0);

-- What registries told of manifests. A deleted one stays as a row, so that its number is remembered.
CREATE TABLE manifests (
    repository_id TEXT    NOT NULL REFERENCES repositories (id),
    digest        TEXT    NOT NULL,
    media_type    TEXT    NOT NULL,
    size_bytes    INTEGER NOT NULL,
    pushed_by     TEXT,                          -- empty: an anonymous client; NULL: only storage told of it
    pushed_at     INTEGER NOT NULL,
    deleted_at    INTEGER,
    number        INTEGER NOT NULL,
    PRIMARY KEY (repository_id, digest)
) STRICT, WITHOUT ROWID;

-- Everything a manifest names, in its own order: the checksums of config and layers, the manifests of an index.
CREATE TABLE manifest_references (
    repository_id   TEXT    NOT NULL,
    manifest_digest TEXT    NOT NULL,
    ordinal         INTEGER NOT NULL,
    role            TEXT    NOT NULL CHECK (role IN ('config', 'layer', 'child', 'subject')),
    digest          TEXT    NOT NULL,
    size_bytes      INTEGER NOT NULL,
    media_type      TEXT    NOT NULL,
    platform        TEXT,
    PRIMARY KEY (repository_id, manifest_digest, ordinal),
    FOREIGN KEY (repository_id, manifest_digest) REFERENCES manifests (repository_id, digest)
) STRICT, WITHOUT ROWID;

-- Where tags point. A deleted one stays as a row without digest, so that its number is remembered.
CREATE TABLE tags (
    repository_id TEXT    NOT NULL REFERENCES repositories (id),
    name          TEXT    NOT NULL,
    digest        TEXT,
    number        INTEGER NOT NULL,
    updated_by    TEXT,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (repository_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_by_digest ON tags (repository_id, digest);

-- Each move of a tag, in the order in which the index took them.
CREATE TABLE tag_history (
    repository_id TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    number        INTEGER NOT NULL,
    digest        TEXT,                          -- NULL: the tag was deleted
    moved_by      TEXT,
    moved_at      INTEGER NOT NULL,
    PRIMARY KEY (repository_id, name, number),
    FOREIGN KEY (repository_id, name) REFERENCES tags (repository_id, name)
) STRICT, WITHOUT ROWID;
