-- Keys that are known by a hash of their text: of which key each number is that was met. Rows of an entity are written only after their keys
-- were compared with it, so that two keys of one number are found before either row is taken for the other.
CREATE TABLE cdc.source_keys (
    entity            text NOT NULL,
    key               bigint NOT NULL,
    -- Its text in UTF-8, whatever the encoding of this database.
    spelled           bytea NOT NULL,
    -- All of the table is being read again, and the key was not met since: another one may take its place.
    stale             boolean NOT NULL DEFAULT false,
    PRIMARY KEY (entity, key)
);
