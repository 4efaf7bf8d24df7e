-- By the source's clock: every commit that had returned by then is applied. Over Kafka the log carries no time yet: -infinity.
ALTER TABLE cdc.checkpoints ADD COLUMN as_of timestamptz NOT NULL DEFAULT '-infinity';
