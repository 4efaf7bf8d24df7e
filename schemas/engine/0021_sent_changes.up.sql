-- What is sent to Odoo of the engine's own changes.

ALTER TABLE cdc.sync_log
    -- Odoo has answered that it has it: it is not sent again. Synced it is when Odoo's row has shown it.
    ADD COLUMN answered_at timestamptz;

CREATE INDEX sync_log_unsent ON cdc.sync_log (card, number) WHERE status = 'pending' AND answered_at IS NULL;
CREATE INDEX sync_log_refused ON cdc.sync_log (card, number) WHERE status = 'pending' AND error IS NOT NULL;
-- In the places of changes that were given up: few.
CREATE INDEX sync_log_voids ON cdc.sync_log (card, number) WHERE action = 'void';

-- A conflict is open until a person has settled it.
ALTER TABLE cdc.conflicts
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by text,
    -- accepted: Odoo's value was written into the engine. kept: the engine's value stays.
    ADD COLUMN settlement text CHECK (settlement IN ('accepted', 'kept'));
CREATE INDEX conflicts_open ON cdc.conflicts (kind) WHERE settled_at IS NULL;

-- One row for each process that sends.
CREATE TABLE cdc.reverse_workers (
    worker            uuid PRIMARY KEY,
    host              text NOT NULL,
    -- sending; waiting: Odoo is away; stopped: a person has to do what the remedy says.
    state             text NOT NULL CHECK (state IN ('sending', 'waiting', 'stopped')),
    code              text,
    message           text,
    remedy            text,
    since             timestamptz NOT NULL DEFAULT now(),
    started_at        timestamptz NOT NULL DEFAULT now(),
    seen_at           timestamptz NOT NULL DEFAULT now()
);
