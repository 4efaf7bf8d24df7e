ALTER TABLE cdc.checkpoints DROP COLUMN as_of;
