-- Without their keys these would read a whole table.
DELETE FROM cdc.chunks WHERE keys IS NOT NULL;
DELETE FROM cdc.requests WHERE keys IS NOT NULL;
ALTER TABLE cdc.chunks DROP COLUMN keys;
ALTER TABLE cdc.requests DROP COLUMN keys;
DROP TABLE cdc.fences;
