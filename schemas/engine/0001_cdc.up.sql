-- What the pipeline itself keeps in the engine. Rows, quarantine entries and checkpoint move in one transaction.
CREATE SCHEMA cdc;

-- The source that this engine follows: at most one row. Progress is bound to it.
CREATE TABLE cdc.source (
    singleton         boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    state             text NOT NULL CHECK (state IN ('creating', 'streaming', 'gap')),
    generation        integer NOT NULL,
    session           bigint NOT NULL DEFAULT 0,
    system_identifier text NOT NULL,
    timeline          integer NOT NULL,
    database_name     text NOT NULL,
    slot              text NOT NULL,
    publication       text NOT NULL,
    -- Written, and flushed, before it is confirmed to the slot: a slot confirmed above it is not the one that was followed.
    written_lsn       pg_lsn NOT NULL DEFAULT '0/0',
    gap_kind          text,
    gap_detail        text,
    updated_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cdc.checkpoints (
    partition         text PRIMARY KEY,
    generation        integer NOT NULL,
    last_lsn          pg_lsn NOT NULL DEFAULT '0/0',
    last_ordinal      bigint NOT NULL DEFAULT 0,
    -- The last applied transaction: when it is sent again it must be the same one.
    last_xid          bigint NOT NULL DEFAULT 0,
    last_commit_at    timestamptz NOT NULL DEFAULT '-infinity',
    -- All commits that start below it are applied.
    through_lsn       pg_lsn NOT NULL DEFAULT '0/0',
    owner_token       uuid NOT NULL,
    updated_at        timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 20);

-- One row an entity: what the source's table looked like, and whether it is applied.
CREATE TABLE cdc.tables (
    entity            text PRIMARY KEY,
    state             text NOT NULL CHECK (state IN ('loading', 'streaming', 'stopped')),
    reason            text,
    relation_oid      bigint,
    relfilenode       bigint,
    -- Of the mapped columns and of the membership in the publication, as the probe writes it.
    columns           text,
    -- A row whose position is below this is not whole: changes may have passed it by (a gap, a stop, a rewrite).
    whole_generation  integer NOT NULL DEFAULT 0,
    whole_lsn         pg_lsn NOT NULL DEFAULT '0/0',
    -- Chunks wait until every transaction below this 64-bit xid has ended.
    barrier_xid       bigint NOT NULL DEFAULT 0,
    estimated_rows    bigint NOT NULL DEFAULT 0,
    updated_at        timestamptz NOT NULL DEFAULT now()
);

-- A truncate leaves a floor: everything older loses to it.
CREATE TABLE cdc.floors (
    entity            text PRIMARY KEY,
    generation        integer NOT NULL,
    lsn               pg_lsn NOT NULL,
    ordinal           bigint NOT NULL
);

CREATE TABLE cdc.quarantine (
    entity            text NOT NULL,
    key               bigint NOT NULL,
    generation        integer NOT NULL,
    lsn               pg_lsn NOT NULL,
    ordinal           bigint NOT NULL,
    -- A stable word: the rule's name, or a SQLSTATE.
    reason            text NOT NULL,
    detail            text NOT NULL,
    -- The source's values, for people to look at. They are never applied from here.
    source_row        jsonb,
    commit_at         timestamptz NOT NULL,
    first_seen        timestamptz NOT NULL DEFAULT now(),
    last_seen         timestamptz NOT NULL DEFAULT now(),
    attempts          integer NOT NULL DEFAULT 1,
    retry_requested   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (entity, key)
);

-- Rows of which a column is not known (an unchanged TOAST value met no whole row). Capture reads them again.
CREATE TABLE cdc.rereads (
    entity            text NOT NULL,
    key               bigint NOT NULL,
    generation        integer NOT NULL,
    lsn               pg_lsn NOT NULL,
    ordinal           bigint NOT NULL,
    since             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (entity, key)
);

CREATE TABLE cdc.chunks (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity            text NOT NULL,
    generation        integer NOT NULL,
    kind              text NOT NULL CHECK (kind IN ('load', 'snapshot')),
    -- Half-open, NULL is open.
    from_key          bigint,
    to_key            bigint,
    state             text NOT NULL CHECK (state IN ('pending', 'done')) DEFAULT 'pending',
    rows              bigint NOT NULL DEFAULT 0,
    swept             bigint NOT NULL DEFAULT 0,
    request           bigint,
    created_at        timestamptz NOT NULL DEFAULT now(),
    finished_at       timestamptz
);
CREATE INDEX chunks_pending ON cdc.chunks (entity, from_key) WHERE state = 'pending';

-- What another process asks of the running one.
CREATE TABLE cdc.requests (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind              text NOT NULL CHECK (kind IN ('snapshot', 'retry')),
    entity            text,
    from_key          bigint,
    to_key            bigint,
    state             text NOT NULL CHECK (state IN ('open', 'accepted', 'done', 'refused')) DEFAULT 'open',
    answer            text,
    requested_by      text NOT NULL DEFAULT current_user,
    requested_at      timestamptz NOT NULL DEFAULT now(),
    answered_at       timestamptz
);
CREATE INDEX requests_open ON cdc.requests (id) WHERE state IN ('open', 'accepted');
