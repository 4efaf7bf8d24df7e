ALTER TABLE cdc.reconcile_runs DROP COLUMN trigger, DROP COLUMN due_at;
DROP TABLE cdc.reconcile_repairs;
