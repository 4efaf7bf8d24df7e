ALTER TABLE cdc.fences DROP COLUMN vector;
ALTER TABLE cdc.quarantine DROP COLUMN published_attempts;
DROP TABLE cdc.log_throughs;
DELETE FROM cdc.checkpoints WHERE partition <> 'all';
ALTER TABLE cdc.checkpoints DROP COLUMN newest_session, DROP COLUMN sequences, DROP COLUMN next_offset;
