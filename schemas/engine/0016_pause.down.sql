ALTER TABLE cdc.source
    DROP COLUMN database_uuid, DROP COLUMN paused_until, DROP COLUMN paused_at, DROP COLUMN paused_by;
