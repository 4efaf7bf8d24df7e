-- The change log over Kafka. Each of its partitions has a checkpoint of its own (partition = topic/number); the in-process log has one, 'all'.
ALTER TABLE cdc.checkpoints
    -- The first record that is not applied; NULL in-process.
    ADD COLUMN next_offset bigint,
    -- Of each capture session the sequence that must come next: pairs of session and sequence, the newest sessions.
    ADD COLUMN sequences bigint[] NOT NULL DEFAULT '{}',
    -- A chunk of an older session than this one is not finished any more.
    ADD COLUMN newest_session bigint NOT NULL DEFAULT 0;

-- All commits that start below through_lsn are in the log before the vector (for each partition, by its name, an offset). A partition that
-- has passed its offset is through.
CREATE TABLE cdc.log_throughs (
    generation        integer NOT NULL,
    through_lsn       pg_lsn NOT NULL,
    vector            jsonb NOT NULL,
    PRIMARY KEY (generation, through_lsn)
);

-- As often as the entry was shown in its topic's .dlq.
ALTER TABLE cdc.quarantine ADD COLUMN published_attempts integer NOT NULL DEFAULT 0;

-- Everything before the fence's marker lies below it: partitions stop there.
ALTER TABLE cdc.fences ADD COLUMN vector jsonb;
