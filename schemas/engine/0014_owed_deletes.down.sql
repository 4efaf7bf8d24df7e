DROP TABLE cdc.owed_deletes;
