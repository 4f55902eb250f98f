-- Names that organisations had before they were renamed. Nobody else ever gets one: what was signed, written down or
-- configured for a name must not reach another's content.

CREATE TABLE former_names (
    name            TEXT    NOT NULL PRIMARY KEY,
    organisation_id TEXT    NOT NULL REFERENCES organisations (id),
    renamed_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every name that a namespace has or holds.
CREATE VIEW namespace_names AS
SELECT name FROM namespaces UNION ALL SELECT name FROM former_names;
