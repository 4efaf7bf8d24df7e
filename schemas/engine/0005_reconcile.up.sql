-- What comparisons of source and engine found, with their history.
CREATE TABLE cdc.reconcile_runs (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind              text NOT NULL CHECK (kind IN ('full', 'changed', 'sign-off')),
    -- What was asked for. A run that was killed goes on only for the same question.
    entities          text[] NOT NULL,
    from_key          bigint,
    to_key            bigint,
    since             timestamptz,
    state             text NOT NULL CHECK (state IN ('running', 'done', 'failed')) DEFAULT 'running',
    -- consistent: everything that was asked for was compared, and nothing differs. inconclusive: no drift, but something was not compared.
    verdict           text CHECK (verdict IN ('consistent', 'drift', 'inconclusive')),
    -- Some drift was counted, and its values were not kept.
    capped            boolean NOT NULL DEFAULT false,
    generation        integer,
    -- Changes of rows up to here were looked at; what is newer is touched.
    looked_lsn        pg_lsn,
    detail            text,
    requested_by      text NOT NULL DEFAULT current_user,
    started_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at       timestamptz,
    CHECK (verdict IS DISTINCT FROM 'consistent' OR (state = 'done' AND NOT capped))
);
CREATE INDEX reconcile_runs_running ON cdc.reconcile_runs (id) WHERE state = 'running';

-- A slice of an entity's keys, compared at one fence. Recorded as it is done, so that a run that was killed goes on behind it.
CREATE TABLE cdc.reconcile_partitions (
    run               bigint NOT NULL,
    entity            text NOT NULL,
    place             integer NOT NULL,
    -- Half-open, NULL is open.
    from_key          bigint,
    to_key            bigint,
    -- stopped: the entity's table is stopped, nothing was compared.
    state             text NOT NULL CHECK (state IN ('compared', 'stopped')) DEFAULT 'compared',
    generation        integer NOT NULL,
    marker_lsn        pg_lsn NOT NULL,
    source_rows       bigint NOT NULL,
    engine_rows       bigint NOT NULL,
    compared          bigint NOT NULL,
    missing           bigint NOT NULL,
    extra             bigint NOT NULL,
    differing         bigint NOT NULL,
    in_flight         bigint NOT NULL,
    quarantined       bigint NOT NULL,
    holes             bigint NOT NULL,
    loading           bigint NOT NULL,
    unlisted          bigint NOT NULL,
    held_ms           double precision NOT NULL,
    compared_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, entity, place)
);

-- One row for each difference, from the run that saw it first to the one that saw it last.
CREATE TABLE cdc.drift (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity            text NOT NULL,
    key               bigint NOT NULL,
    kind              text NOT NULL CHECK (kind IN ('missing', 'extra', 'differing')),
    -- The engine's column, or * for a row that one side has not.
    field             text NOT NULL,
    odoo_value        text,
    engine_value      text,
    first_run         bigint NOT NULL,
    first_seen        timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_run          bigint NOT NULL,
    last_seen         timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The run that compared the key and did not find it any more.
    resolved_run      bigint,
    resolved_at       timestamptz
);
CREATE UNIQUE INDEX drift_open ON cdc.drift (entity, key, field) WHERE resolved_at IS NULL;
CREATE INDEX drift_last_run ON cdc.drift (last_run, entity, key);

-- Sums of money on both sides. Of an entity without program and company of its own they are its parent's; without parent NULL.
CREATE TABLE cdc.reconcile_totals (
    run               bigint NOT NULL,
    entity            text NOT NULL,
    field             text NOT NULL,
    program_id        bigint,
    company_id        bigint,
    odoo_total        numeric NOT NULL,
    engine_total      numeric NOT NULL
);
CREATE UNIQUE INDEX reconcile_totals_key ON cdc.reconcile_totals (run, entity, field, coalesce(program_id, -1), coalesce(company_id, -1));

-- Rows taken at random and compared value by value, without a hash.
CREATE TABLE cdc.reconcile_spot_checks (
    run               bigint NOT NULL,
    entity            text NOT NULL,
    company_id        bigint,
    keys              bigint[] NOT NULL,
    differing         bigint[] NOT NULL
);

-- Where Odoo's own numbers disagree, whatever the engine has.
CREATE TABLE cdc.reconcile_violations (
    run               bigint NOT NULL,
    kind              text NOT NULL,
    rows              bigint NOT NULL,
    examples          bigint[] NOT NULL
);
