-- What a reading did not see is gone in Odoo, or only not seen. It is held until all of the reading is done, and deleted then; unless it is
-- so much of the table that a person must allow it.
CREATE TABLE cdc.held_deletes (
    entity            text NOT NULL,
    key               bigint NOT NULL,
    -- The place of the reading in the order of changes: what is newer in the engine stays.
    generation        integer NOT NULL,
    lsn               pg_lsn NOT NULL,
    ordinal           bigint NOT NULL,
    -- The chunk that did not see it; 0: keys that were read again by themselves.
    chunk             bigint NOT NULL,
    since             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (entity, key)
);
ALTER TABLE cdc.tables DROP CONSTRAINT tables_state_check, ADD CONSTRAINT tables_state_check CHECK (state IN ('loading', 'streaming', 'stopped', 'held'));
-- Of a held table: how many rows wait, of how many.
ALTER TABLE cdc.tables ADD COLUMN held_deletes bigint, ADD COLUMN held_of bigint;
ALTER TABLE cdc.chunks DROP CONSTRAINT chunks_state_check, ADD CONSTRAINT chunks_state_check CHECK (state IN ('pending', 'held', 'done'));
CREATE INDEX chunks_held ON cdc.chunks (entity) WHERE state = 'held';
-- How many rows a person allows to be deleted.
ALTER TABLE cdc.requests ADD COLUMN allow_deletes bigint;
-- A name can be given to another database: this number cannot. NULL: not known yet.
ALTER TABLE cdc.source ADD COLUMN database_oid bigint;
