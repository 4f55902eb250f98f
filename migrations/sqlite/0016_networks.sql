-- The ranges of addresses from which a namespace may be used; from everywhere while it has none. Addresses are texts that
-- are compared as they stand: `4` or `6`, then all digits in base 16.

CREATE TABLE namespace_networks (
    namespace_id  TEXT NOT NULL REFERENCES namespaces (id),
    network       TEXT NOT NULL,                  -- as people write it: `10.0.0.0/8`
    first_address TEXT NOT NULL,
    last_address  TEXT NOT NULL,
    PRIMARY KEY (namespace_id, network)
) STRICT, WITHOUT ROWID;

-- The same of an access token, with commas between them.
ALTER TABLE access_tokens ADD COLUMN allowed_networks TEXT NOT NULL DEFAULT '';
