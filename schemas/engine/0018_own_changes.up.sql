-- Who owns a card, and what the engine changes of its own accord. Columns and triggers of the tables that a declaration lets flow back to
-- Odoo ("reverse") are made by 'cdc migrate' besides: without one nothing here is used.

-- One row for each of these tables.
CREATE TABLE cdc.owned_tables (
    entity            text PRIMARY KEY,
    -- As SQL writes it.
    name              text NOT NULL,
    is_card           boolean NOT NULL,
    -- Of the columns, function and triggers that were made.
    version           text NOT NULL,
    -- Of cards: the engine owns some that Odoo has. What applies reads it in its transaction, under a lock that whoever changes an owner
    -- takes alone: while it is false, statements need not look at owners.
    engine_owns       boolean NOT NULL DEFAULT false
);

-- Changes that the engine made of its own accord: what is to reach Odoo.
CREATE TABLE cdc.sync_log (
    -- Its name, also in Odoo. Ids and sequences are given out again by an engine that was restored; this is not.
    uuid              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    entity            text NOT NULL,
    -- The row's key in the engine.
    id                bigint NOT NULL,
    card              bigint NOT NULL,
    -- Its place in the order of its card's own changes, and the one before it; NULL: it is the first. A void is sent in the place of one
    -- that Odoo refused: what lies between it and its predecessor never came.
    number            bigint NOT NULL,
    predecessor       bigint,
    action            text NOT NULL CHECK (action IN ('create', 'update', 'delete', 'void')),
    -- The columns that changed, as they were and as they are; of a row that came or went all of them.
    before            jsonb,
    after             jsonb,
    -- synced: Odoo's row has it. failed: given up, and not in Odoo. What Odoo has refused so far is pending, with its error.
    status            text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'synced', 'failed')),
    error             text,
    created_by        text NOT NULL DEFAULT session_user,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    synced_at         timestamptz
);
CREATE INDEX sync_log_pending ON cdc.sync_log (card, number) WHERE status = 'pending';
CREATE INDEX sync_log_rows ON cdc.sync_log (entity, id);
CREATE UNIQUE INDEX sync_log_numbers ON cdc.sync_log (card, number);

-- Changes that Odoo made to what the engine owns. The engine's value stayed.
CREATE TABLE cdc.conflicts (
    conflict          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity            text NOT NULL,
    key               bigint NOT NULL,
    card              bigint,
    -- changed: somebody of Odoo's wrote it. altered: Odoo made something else of what it was sent. deleted: the row is gone in Odoo.
    -- number: Odoo's number went back.
    kind              text NOT NULL CHECK (kind IN ('changed', 'altered', 'deleted', 'number')),
    -- The engine's column; *: the row.
    field             text NOT NULL,
    odoo_value        jsonb,
    engine_value      jsonb,
    -- What Odoo had before.
    base_value        jsonb,
    -- Odoo's change in the order of changes.
    generation        integer NOT NULL,
    lsn               pg_lsn NOT NULL,
    ordinal           bigint NOT NULL,
    commit_at         timestamptz,
    seen_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (entity, key, field, generation, lsn, ordinal)
);

-- Every change of a card's owner, whoever made it.
CREATE TABLE cdc.owner_changes (
    change            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity            text NOT NULL,
    key               bigint NOT NULL,
    from_owner        text NOT NULL,
    to_owner          text NOT NULL,
    changed_by        text NOT NULL DEFAULT session_user,
    changed_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Why, as whoever changed it says: the setting cdc.evidence.
    evidence          text,
    -- What was applied then: of the row, and below which LSN everything.
    generation        integer NOT NULL,
    lsn               pg_lsn NOT NULL,
    ordinal           bigint NOT NULL,
    through_lsn       pg_lsn
);
CREATE INDEX owner_changes_key ON cdc.owner_changes (entity, key);

-- Numbers of own changes are of the clock, so that an engine that was restored never gives one again.
CREATE FUNCTION cdc.clock_micros() RETURNS bigint LANGUAGE sql VOLATILE AS
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint';

-- The columns of a row in which another one differs.
CREATE FUNCTION cdc.changed_columns(of_row jsonb, other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
    'SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each(of_row) c WHERE c.value IS DISTINCT FROM other -> c.key';

-- What Odoo last had where the engine has another value: of a column that changes now for the first time, as it was before. A row that Odoo
-- has deleted (JSON null) stays one.
CREATE FUNCTION cdc.moved_base(base jsonb, before jsonb, after jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
    'SELECT CASE WHEN base = ''null''::jsonb THEN base
                 ELSE cdc.changed_columns(coalesce(cdc.changed_columns(before, after), ''{}'') || coalesce(base, ''{}''), after) END';

-- FNV-1a, 32 bits, as announcements of changed rows carry it for the value by which a row is looked up.
CREATE FUNCTION cdc.lookup_hash(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    hash bigint := 2166136261;
    bytes bytea := convert_to(value, 'UTF8');
BEGIN
    FOR i IN 0 .. length(bytes) - 1 LOOP
        hash := ((hash # get_byte(bytes, i)) * 16777619) & 4294967295;
    END LOOP;
    RETURN to_hex(hash);
END $$;

CREATE FUNCTION cdc.refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'OC002', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
        MESSAGE = format('TRUNCATE of %I.%I is refused: its rows are Odoo''s too', TG_TABLE_SCHEMA, TG_TABLE_NAME),
        HINT = 'Delete the rows that the engine made, by their keys.';
END $$;

-- Rows with own changes that are not in Odoo; rows of which the engine's values are Odoo's and these changes; and rows of which they are not.
ALTER TABLE cdc.reconcile_partitions
    ADD COLUMN own_pending bigint NOT NULL DEFAULT 0,
    ADD COLUMN own_explained bigint NOT NULL DEFAULT 0,
    ADD COLUMN own_unexplained bigint NOT NULL DEFAULT 0;
-- Of these the field has "own." before it.
ALTER TABLE cdc.drift DROP CONSTRAINT drift_kind_check,
    ADD CONSTRAINT drift_kind_check CHECK (kind IN ('missing', 'extra', 'differing', 'unexplained'));

-- As other programs know it.
DO $$
BEGIN
    IF to_regclass('public.sync_log') IS NOT NULL THEN
        RAISE NOTICE 'The view public.sync_log is left out: something of this name is there. cdc.sync_log has what it would show.';
        RETURN;
    END IF;
    CREATE VIEW public.sync_log AS
        SELECT entity AS entity_type, id AS entity_id, action, status, error AS error_message, created_at, synced_at FROM cdc.sync_log;
    COMMENT ON VIEW public.sync_log IS 'cdc';
END $$;
