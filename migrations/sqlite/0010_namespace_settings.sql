-- What the administrators of a namespace decide for it, and for the repositories that are made in it from now on.

ALTER TABLE namespaces ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE namespaces ADD COLUMN default_visibility TEXT NOT NULL DEFAULT 'private'
    CHECK (default_visibility IN ('private', 'public'));

-- Granted on every new repository of the namespace.
CREATE TABLE default_grants (
    namespace_id TEXT NOT NULL REFERENCES namespaces (id),
    account_id   TEXT REFERENCES accounts (id),
    team_id      TEXT REFERENCES teams (id),
    role         TEXT NOT NULL CHECK (role IN ('read', 'write', 'maintain', 'admin')),
    created_by   TEXT NOT NULL,
    CHECK ((account_id IS NULL) <> (team_id IS NULL)),
    UNIQUE (namespace_id, account_id),
    UNIQUE (namespace_id, team_id)
) STRICT;

CREATE INDEX default_grants_by_account ON default_grants (account_id);
CREATE INDEX default_grants_by_team ON default_grants (team_id);
