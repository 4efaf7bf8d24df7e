-- Fences: points in the source's WAL at which somebody compares source and engine. The one who asks, Capture and Apply each move the state
-- on by compare-and-set, and notify the others. Closed ones are pruned as new ones come.
CREATE TABLE cdc.fences (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity            text NOT NULL,
    -- Half-open, NULL is open.
    from_key          bigint,
    to_key            bigint,
    -- announced by who asks; armed: Capture forgets no keys; read: the source's snapshot is taken; reached: Apply holds at the marker;
    -- open: the engine's snapshot is taken, Apply goes on; done: compared. Or broken, from any of them.
    state             text NOT NULL CHECK (state IN ('announced', 'armed', 'read', 'reached', 'open', 'done', 'broken')) DEFAULT 'announced',
    -- After it nobody waits for the fence to open.
    expires_at        timestamptz NOT NULL,
    -- The session of cdc.source that armed it: the fence dies with it.
    session           bigint,
    generation        integer,
    source_snapshot   pg_snapshot,
    marker_lsn        pg_lsn,
    -- Keys streamed before the marker that the source's snapshot may not see.
    in_flight         bigint[],
    in_flight_all     boolean NOT NULL DEFAULT false,
    -- Why it is broken, or what it waits for: a stable word, and a sentence.
    reason            text,
    detail            text,
    requested_by      text NOT NULL DEFAULT current_user,
    announced_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    armed_at          timestamptz,
    read_at           timestamptz,
    reached_at        timestamptz,
    opened_at         timestamptz,
    ended_at          timestamptz,
    CHECK (source_snapshot IS NOT NULL OR state IN ('announced', 'armed', 'broken'))
);
CREATE INDEX fences_pending ON cdc.fences (id) WHERE state IN ('announced', 'armed', 'read', 'reached');

-- Exactly these keys, where a range would be too much: a repair.
ALTER TABLE cdc.requests ADD COLUMN keys bigint[],
    ADD CONSTRAINT requests_keys CHECK (keys IS NULL OR (cardinality(keys) > 0 AND from_key IS NULL AND to_key IS NULL));
ALTER TABLE cdc.chunks ADD COLUMN keys bigint[];
