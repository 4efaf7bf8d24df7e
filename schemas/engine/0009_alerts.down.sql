DROP TABLE cdc.alert_changes, cdc.alerts, cdc.reconcile_samples;
DROP VIEW cdc.reconcile_standing;
