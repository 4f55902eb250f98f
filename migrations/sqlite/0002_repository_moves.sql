-- What is wished of the registries' storage and not yet known to be done: one row for a repository at most, which goes
-- when a registry has said that storage is so.

CREATE TABLE repository_moves (
    repository_id TEXT    NOT NULL PRIMARY KEY REFERENCES repositories (id),
    verb          TEXT    NOT NULL CHECK (verb IN ('put_away', 'restore', 'purge', 'rename')),
    new_name      TEXT    UNIQUE,                -- of a rename; nobody else gets it meanwhile
    number        INTEGER NOT NULL,              -- from the counter `turn`: registries ignore a smaller one
    wished_by     TEXT    NOT NULL,              -- empty: its time had come
    wished_at     INTEGER NOT NULL,
    CHECK ((verb = 'rename') = (new_name IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX deleted_repositories ON repositories (deleted_at) WHERE deleted_at IS NOT NULL;
