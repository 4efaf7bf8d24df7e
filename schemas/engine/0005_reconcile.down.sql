DROP TABLE cdc.reconcile_violations, cdc.reconcile_spot_checks, cdc.reconcile_totals, cdc.drift, cdc.reconcile_partitions, cdc.reconcile_runs;
