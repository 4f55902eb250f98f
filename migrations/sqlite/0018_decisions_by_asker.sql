-- Whose decisions they are that must not push out other people's: an account's name, or `@` and the address of an anonymous
-- client, as migration 17 writes them.
ALTER TABLE decisions ADD COLUMN asker TEXT NOT NULL DEFAULT '';
UPDATE decisions SET asker = CASE subject WHEN '' THEN '@' || COALESCE(address, '') ELSE subject END;

CREATE INDEX decisions_by_asker ON decisions (asker, decided_at);
