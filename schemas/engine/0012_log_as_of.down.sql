ALTER TABLE cdc.log_throughs DROP COLUMN as_of;
