-- How consistent each entity is as far as is known now: the rows that the last run over everything compared, and the drift that is open today.
CREATE VIEW cdc.reconcile_standing AS
SELECT whole.entity, whole.run, whole.compared,
    (SELECT count(DISTINCT d.key) FROM cdc.drift d WHERE d.entity = whole.entity AND d.resolved_at IS NULL) + whole.unlisted AS drift,
    last.in_flight, last.run AS last_run, last.compared_at
FROM (
    SELECT DISTINCT ON (p.entity) p.entity, p.run, sum(p.compared)::bigint AS compared, sum(p.unlisted)::bigint AS unlisted
    FROM cdc.reconcile_runs r JOIN cdc.reconcile_partitions p ON p.run = r.id
    WHERE r.state = 'done' AND r.kind <> 'changed' AND r.from_key IS NULL AND r.to_key IS NULL AND r.since IS NULL AND p.state = 'compared'
    GROUP BY p.entity, p.run ORDER BY p.entity, p.run DESC) AS whole,
LATERAL (
    SELECT p.run, sum(p.in_flight)::bigint AS in_flight, max(p.compared_at) AS compared_at
    FROM cdc.reconcile_partitions p JOIN cdc.reconcile_runs r ON r.id = p.run
    WHERE p.entity = whole.entity AND p.run >= whole.run AND p.state = 'compared' AND r.state = 'done'
    GROUP BY p.run ORDER BY p.run DESC LIMIT 1) AS last;

-- What each run of the continuous comparison left behind, for alerts to look back on.
CREATE TABLE cdc.reconcile_samples (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at                timestamptz NOT NULL,
    -- NULL: the run failed before it began.
    run               bigint,
    -- NULL: the run was inconclusive or failed. It says nothing, and pauses the alerts until one does.
    entity            text,
    compared          bigint NOT NULL DEFAULT 0,
    drift             bigint NOT NULL DEFAULT 0
);
CREATE INDEX reconcile_samples_at ON cdc.reconcile_samples (at);

-- One row for each alert. Fired, it stays so until somebody arms it again.
CREATE TABLE cdc.alerts (
    name              text PRIMARY KEY,
    state             text NOT NULL CHECK (state IN ('armed', 'fired')) DEFAULT 'armed',
    -- What is older does not fire it again.
    armed_at          timestamptz NOT NULL DEFAULT '-infinity',
    fired_at          timestamptz,
    run               bigint,
    -- all, or the entity whose share it was.
    scope             text,
    message           text,
    -- NULL: the webhook, if there is one, has not taken it yet.
    delivered_at      timestamptz,
    CHECK ((state = 'fired') = (fired_at IS NOT NULL))
);
INSERT INTO cdc.alerts (name) VALUES ('warning'), ('alert'), ('remediation'), ('page');

CREATE TABLE cdc.alert_changes (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name              text NOT NULL,
    change            text NOT NULL CHECK (change IN ('fired', 'armed')),
    at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by        text NOT NULL DEFAULT current_user,
    message           text
);
