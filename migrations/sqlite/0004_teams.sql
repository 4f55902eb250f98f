-- Teams: members of an organisation that hold grants together.

CREATE TABLE teams (
    id              TEXT    NOT NULL PRIMARY KEY,
    organisation_id TEXT    NOT NULL REFERENCES organisations (id),
    name            TEXT    NOT NULL,
    description     TEXT    NOT NULL DEFAULT '',
    created_at      INTEGER NOT NULL,
    UNIQUE (organisation_id, name)
) STRICT;

-- Each of them is a member of the organisation too: who leaves that leaves its teams.
CREATE TABLE team_members (
    team_id    TEXT    NOT NULL REFERENCES teams (id),
    account_id TEXT    NOT NULL REFERENCES accounts (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX team_members_by_account ON team_members (account_id);

-- A grant is now one account's or one team's.
CREATE TABLE grants_of_accounts_and_teams (
    id            TEXT    NOT NULL PRIMARY KEY,
    namespace_id  TEXT    REFERENCES namespaces (id),
    repository_id TEXT    REFERENCES repositories (id),
    account_id    TEXT    REFERENCES accounts (id),
    team_id       TEXT    REFERENCES teams (id),
    role          TEXT    NOT NULL CHECK (role IN ('read', 'write', 'maintain', 'admin')),
    created_by    TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    CHECK ((namespace_id IS NULL) <> (repository_id IS NULL)),
    CHECK ((account_id IS NULL) <> (team_id IS NULL)),
    UNIQUE (namespace_id, account_id),
    UNIQUE (repository_id, account_id),
    UNIQUE (namespace_id, team_id),
    UNIQUE (repository_id, team_id)
) STRICT;

INSERT INTO grants_of_accounts_and_teams
SELECT id, namespace_id, repository_id, account_id, NULL, role, created_by, created_at FROM grants;

DROP TABLE grants;
ALTER TABLE grants_of_accounts_and_teams RENAME TO grants;
CREATE INDEX grants_by_account ON grants (account_id);
CREATE INDEX grants_by_team ON grants (team_id);
