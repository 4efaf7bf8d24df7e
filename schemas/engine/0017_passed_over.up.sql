-- The end of the partition when its generation began: the records before it are passed over, even those that cannot be read or are gone.
ALTER TABLE cdc.checkpoints ADD COLUMN passed_until bigint NOT NULL DEFAULT 0;
