-- Auditors of the instance: they see everything that is said about it, hold no role anywhere, and change nothing.

ALTER TABLE accounts ADD COLUMN is_auditor INTEGER NOT NULL DEFAULT 0 CHECK (is_auditor IN (0, 1));

DROP VIEW people;
CREATE VIEW people AS
SELECT id, name, password_hash, is_admin, is_auditor, disabled_at, created_at FROM accounts WHERE organisation_id IS NULL;
