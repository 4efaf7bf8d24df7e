DROP TABLE cdc.source_keys;
