-- Over Kafka: rows that were deleted since a reading did not see them. Nothing in the stream says so to those who read the topics; capture
-- reads each key once more, and appends the end of those that are still not there.
CREATE TABLE cdc.owed_deletes (
    entity            text NOT NULL,
    key               bigint NOT NULL,
    since             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (entity, key)
);
