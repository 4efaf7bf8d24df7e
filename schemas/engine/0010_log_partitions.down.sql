ALTER TABLE cdc.fences DROP COLUMN vector;
DROP TABLE cdc.log_throughs;
DELETE FROM cdc.checkpoints WHERE partition <> 'all';
ALTER TABLE cdc.checkpoints DROP COLUMN newest_session, DROP COLUMN sequences, DROP COLUMN next_offset;
