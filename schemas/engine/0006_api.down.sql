DROP TABLE cdc.applied_days;
DROP TABLE cdc.feature_flag_changes;
DROP TABLE cdc.feature_flags;
DROP TABLE cdc.api_keys;
