-- By the source's clock: every commit that had returned by then is in the log before the vector. NULL: no heartbeat has told.
ALTER TABLE cdc.log_throughs ADD COLUMN as_of timestamptz;
