ALTER TABLE cdc.checkpoints DROP COLUMN passed_until;
