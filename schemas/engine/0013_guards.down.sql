ALTER TABLE cdc.source DROP COLUMN database_oid;
UPDATE cdc.chunks SET state = 'pending' WHERE state = 'held';
UPDATE cdc.tables SET state = 'loading', reason = NULL WHERE state = 'held';
ALTER TABLE cdc.requests DROP COLUMN allow_deletes;
DROP INDEX cdc.chunks_held;
ALTER TABLE cdc.chunks DROP CONSTRAINT chunks_state_check, ADD CONSTRAINT chunks_state_check CHECK (state IN ('pending', 'done'));
ALTER TABLE cdc.tables DROP COLUMN held_deletes, DROP COLUMN held_of;
ALTER TABLE cdc.tables DROP CONSTRAINT tables_state_check, ADD CONSTRAINT tables_state_check CHECK (state IN ('loading', 'streaming', 'stopped'));
DROP TABLE cdc.held_deletes;
