DROP TABLE cdc.schema_versions, cdc.schemas, cdc.schema_compatibility;
