-- What the engine owns or Odoo has not got yet would be lost.
DO $$
DECLARE
    owned record;
    cards bigint := 0;
    pending bigint;
BEGIN
    FOR owned IN SELECT name, is_card FROM cdc.owned_tables ORDER BY is_card DESC, name LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', owned.name);
        IF owned.is_card THEN
            EXECUTE format('SELECT count(*) FROM %s WHERE owner = ''engine''', owned.name) INTO cards;
        END IF;
    END LOOP;
    SELECT count(*) INTO pending FROM cdc.sync_log WHERE status <> 'synced';
    IF cards > 0 OR pending > 0 THEN
        RAISE EXCEPTION '% cards belong to the engine, and % own changes are not in Odoo: nothing is taken back. Give the cards back first (cdc owner set ... odoo), when everything is in Odoo', cards, pending;
    END IF;
    FOR owned IN SELECT * FROM cdc.owned_tables ORDER BY is_card, name LOOP
        EXECUTE format('DROP FUNCTION IF EXISTS cdc.%I() CASCADE', 'own_change_' || owned.entity);
        EXECUTE format('DROP TRIGGER IF EXISTS cdc_own_truncate ON %s', owned.name);
        EXECUTE format('ALTER TABLE %s DROP COLUMN base, DROP COLUMN odoo_ref', owned.name);
        IF owned.is_card THEN
            EXECUTE format('DROP FUNCTION IF EXISTS cdc.%I() CASCADE', 'owner_change_' || owned.entity);
            EXECUTE format('ALTER TABLE %s DROP COLUMN owner, DROP COLUMN own_number, DROP COLUMN odoo_number', owned.name);
        END IF;
    END LOOP;
    IF obj_description(to_regclass('public.sync_log'), 'pg_class') = 'cdc' THEN
        DROP VIEW public.sync_log;
    END IF;
END $$;
DELETE FROM cdc.drift WHERE kind = 'unexplained';
ALTER TABLE cdc.drift DROP CONSTRAINT drift_kind_check, ADD CONSTRAINT drift_kind_check CHECK (kind IN ('missing', 'extra', 'differing'));
ALTER TABLE cdc.reconcile_partitions DROP COLUMN own_pending, DROP COLUMN own_explained, DROP COLUMN own_unexplained;
DROP FUNCTION cdc.refuse_truncate(), cdc.lookup_hash(text), cdc.moved_base(jsonb, jsonb, jsonb), cdc.changed_columns(jsonb, jsonb), cdc.clock_micros();
DROP TABLE cdc.owner_changes, cdc.conflicts, cdc.sync_log, cdc.owned_tables;
