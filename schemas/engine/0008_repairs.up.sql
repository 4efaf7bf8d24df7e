-- Repairs, and who or what began a run.

-- One row for each key that is read again to be repaired, written together with the request for it: whatever happens then is on record.
CREATE TABLE cdc.reconcile_repairs (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The run that found the difference.
    run               bigint NOT NULL,
    entity            text NOT NULL,
    key               bigint NOT NULL,
    kind              text NOT NULL CHECK (kind IN ('missing', 'extra', 'differing')),
    -- What differed just before: [{"field", "odoo", "engine"}].
    before            jsonb NOT NULL,
    -- In cdc.requests.
    request           bigint NOT NULL,
    requested_by      text NOT NULL DEFAULT current_user,
    requested_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- What a comparison of exactly this key said afterwards, and where. repaired: it is equal. unverified: the process ended before it looked.
    outcome           text CHECK (outcome IN ('repaired', 'drift', 'in-flight', 'quarantined', 'hole', 'loading', 'unverified')),
    verified_at       timestamptz,
    verified_lsn      pg_lsn
);
CREATE INDEX reconcile_repairs_request ON cdc.reconcile_repairs (request, key);
CREATE INDEX reconcile_repairs_run ON cdc.reconcile_repairs (run);
CREATE INDEX reconcile_repairs_open ON cdc.reconcile_repairs (id) WHERE outcome IS NULL;

-- command, or the schedule of the continuous comparison, with the time for which it was due: what was done is not done again after a restart.
ALTER TABLE cdc.reconcile_runs ADD COLUMN trigger text NOT NULL DEFAULT 'command', ADD COLUMN due_at timestamptz;
CREATE INDEX reconcile_runs_due ON cdc.reconcile_runs (trigger, due_at) WHERE due_at IS NOT NULL AND state = 'done';
