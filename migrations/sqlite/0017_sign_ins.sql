-- From where an account signed in with its password lately: what is guessed elsewhere is not in its way there.
CREATE TABLE sign_ins (
    account_id   TEXT    NOT NULL REFERENCES accounts (id),
    network      TEXT    NOT NULL,               -- an address; of IPv6 the first of the 2^64 that one client has
    signed_in_at INTEGER NOT NULL,               -- up to a day behind
    PRIMARY KEY (account_id, network)
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_ins_by_time ON sign_ins (signed_in_at);
