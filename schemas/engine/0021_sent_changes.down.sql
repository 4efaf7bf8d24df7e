DROP TABLE cdc.reverse_workers;
DROP INDEX cdc.conflicts_open;
ALTER TABLE cdc.conflicts DROP COLUMN settled_at, DROP COLUMN settled_by, DROP COLUMN settlement;
DROP INDEX cdc.sync_log_voids, cdc.sync_log_refused, cdc.sync_log_unsent;
ALTER TABLE cdc.sync_log DROP COLUMN answered_at;
