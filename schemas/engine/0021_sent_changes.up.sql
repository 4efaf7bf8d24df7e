-- What is sent to Odoo of the engine's own changes.

ALTER TABLE cdc.sync_log
    -- Odoo has answered that it has it: it is not sent again. Synced it is when Odoo's row has shown it.
    ADD COLUMN answered_at timestamptz;

CREATE INDEX sync_log_unsent ON cdc.sync_log (card, number) WHERE status = 'pending' AND answered_at IS NULL;
CREATE INDEX sync_log_refused ON cdc.sync_log (card, number) WHERE status = 'pending' AND error IS NOT NULL;
-- In the places of changes that were given up: few.
CREATE INDEX sync_log_voids ON cdc.sync_log (card, number) WHERE action = 'void';

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
