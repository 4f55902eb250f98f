-- Invitations to organisations: whoever has the link joins, once. Of its secret, 256 random bits, the plain SHA-256 is kept.

CREATE TABLE invitations (
    id              TEXT    NOT NULL PRIMARY KEY,
    organisation_id TEXT    NOT NULL REFERENCES organisations (id),
    secret_hash     TEXT    NOT NULL UNIQUE,
    role            TEXT    NOT NULL CHECK (role IN ('owner', 'member')),
    allows_sign_up  INTEGER NOT NULL CHECK (allows_sign_up IN (0, 1)),
    created_by      TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    ended_as        TEXT    CHECK (ended_as IN ('accepted', 'declined', 'revoked')),
    ended_by        TEXT,
    ended_at        INTEGER,
    CHECK ((ended_as IS NULL) = (ended_at IS NULL)),
    CHECK ((ended_as IS NULL) = (ended_by IS NULL))
) STRICT;

CREATE INDEX invitations_by_organisation ON invitations (organisation_id, id);

-- The teams that come with it.
CREATE TABLE invitation_teams (
    invitation_id TEXT NOT NULL REFERENCES invitations (id),
    team_id       TEXT NOT NULL REFERENCES teams (id),
    PRIMARY KEY (invitation_id, team_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX invitation_teams_by_team ON invitation_teams (team_id);
