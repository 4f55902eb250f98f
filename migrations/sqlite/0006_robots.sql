-- Robots: machine accounts of an organisation, `acme+ci`, whose one secret is an access token. A `+` stands in no other
-- account's name. A deleted robot's row goes: what was issued for it names its secret too, and ends with that.

ALTER TABLE accounts ADD COLUMN organisation_id TEXT REFERENCES organisations (id);  -- NULL: a person
ALTER TABLE accounts ADD COLUMN description TEXT NOT NULL DEFAULT '';

CREATE INDEX robots_by_organisation ON accounts (organisation_id) WHERE organisation_id IS NOT NULL;

-- Accounts with a password and a namespace.
CREATE VIEW people AS
SELECT id, name, password_hash, is_admin, disabled_at, created_at FROM accounts WHERE organisation_id IS NULL;
