-- Where an access token was used last, beside when: an address as text.

ALTER TABLE access_tokens ADD COLUMN last_used_from TEXT;
