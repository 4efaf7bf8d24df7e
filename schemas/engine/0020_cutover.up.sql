-- The cutover: which plan runs, where each scope of it stands, who moved it, and what follows for the reads of each card.
CREATE TABLE cdc.cutover_plans (
    plan              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name              text NOT NULL,
    -- The plan with its defaults written out, and the hash of that text.
    document          text NOT NULL,
    sha256            text NOT NULL,
    started_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_by        text NOT NULL,
    -- Another plan took its place.
    ended_at          timestamptz
);
CREATE UNIQUE INDEX cutover_plans_running ON cdc.cutover_plans ((true)) WHERE ended_at IS NULL;

-- Where a scope stands. Read by everybody who routes a read.
CREATE TABLE cdc.cutover_scopes (
    plan              bigint NOT NULL,
    scope             text NOT NULL,
    -- Empty: all.
    services          text[] NOT NULL,
    companies         bigint[] NOT NULL,
    -- Whose switch stops all of it: of flag and scope the smaller share counts.
    flag              text NOT NULL,
    -- 0: legacy. Otherwise the step of the plan, from 1.
    step              integer NOT NULL DEFAULT 0 CHECK (step >= 0),
    phase             text NOT NULL DEFAULT 'legacy' CHECK (phase IN ('legacy', 'shadow', 'canary', 'ramp')),
    -- Of the scope's cards, those whose reads the engine answers.
    percentage        numeric(5,2) NOT NULL DEFAULT 0 CHECK (percentage BETWEEN 0 AND 100),
    -- Why nobody may advance it; NULL: it may be.
    held              text,
    since             timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- One more with every change: an approval counts for one version.
    version           bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (plan, scope),
    CHECK ((step = 0) = (phase = 'legacy')),
    CHECK (percentage = 0 OR phase IN ('canary', 'ramp'))
);

-- Every decision, with what was known then.
CREATE TABLE cdc.cutover_changes (
    change            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan              bigint NOT NULL,
    scope             text NOT NULL,
    command           text NOT NULL CHECK (command IN ('start', 'advance', 'approve', 'hold', 'release', 'rollback', 'trigger')),
    from_step         text NOT NULL,
    to_step           text NOT NULL,
    from_percentage   numeric(5,2) NOT NULL,
    to_percentage     numeric(5,2) NOT NULL,
    changed_by        text NOT NULL,
    changed_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    why               text,
    -- The gates as they were judged.
    evidence          jsonb
);

CREATE TABLE cdc.cutover_approvals (
    plan              bigint NOT NULL,
    scope             text NOT NULL,
    version           bigint NOT NULL,
    approved_by       text NOT NULL,
    approved_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (plan, scope, version, approved_by)
);

-- What comparing both sides' answers found, by the hour.
CREATE TABLE cdc.cutover_shadow (
    scope             text NOT NULL,
    hour              timestamptz NOT NULL,
    result            text NOT NULL CHECK (result IN ('equal', 'moving', 'differs', 'missing', 'extra', 'not-compared')),
    -- What differs, or why nothing was compared.
    field             text NOT NULL,
    reads             bigint NOT NULL,
    -- An example: Odoo's id.
    last_card         bigint NOT NULL,
    PRIMARY KEY (scope, hour, result, field)
);

-- What the running plan and its flag come to: one row for each service and company of each scope (NULL: all others).
CREATE VIEW cdc.routes AS
SELECT s.scope, v.service, c.company, s.phase, s.flag,
       CASE WHEN f.enabled THEN least(s.percentage, f.percentage) ELSE 0 END AS percentage,
       -- The flag may name companies: reads of all others are Odoo's.
       coalesce(f.companies, '{}') AS only_companies
FROM cdc.cutover_plans p
JOIN cdc.cutover_scopes s ON s.plan = p.plan
LEFT JOIN cdc.feature_flags f ON f.name = s.flag
CROSS JOIN LATERAL unnest(CASE WHEN cardinality(s.services) = 0 THEN ARRAY[NULL::text] ELSE s.services END) AS v(service)
CROSS JOIN LATERAL unnest(CASE WHEN cardinality(s.companies) = 0 THEN ARRAY[NULL::bigint] ELSE s.companies END) AS c(company)
WHERE p.ended_at IS NULL;

-- From 0 to 100, the same for a card for ever: as feature flags have it. The company, where the share is of a company's cards.
CREATE FUNCTION cdc.card_share(card bigint, flag text, company bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT (get_byte(h, 0) + get_byte(h, 1) * 256 + get_byte(h, 2) * 65536 + get_byte(h, 3)::bigint * 16777216)::double precision
           / 4294967295::double precision * 100
    FROM (SELECT sha256(convert_to(concat(card, E'\n', flag, E'\ncompany:' || company), 'UTF8')) AS h) hashed
$$;

-- Who answers reads of a card (Odoo's id): engine or odoo. Without a running plan the engine.
CREATE FUNCTION cdc.route(card bigint, company bigint, service text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM cdc.cutover_plans WHERE ended_at IS NULL) THEN 'engine'
        ELSE coalesce((
            SELECT CASE WHEN r.percentage > 0 AND (cardinality(r.only_companies) = 0 OR $2 = ANY (r.only_companies))
                        AND (r.percentage = 100 OR cdc.card_share($1, r.flag, r.company) < r.percentage) THEN 'engine' ELSE 'odoo' END
            FROM cdc.routes r WHERE (r.service IS NULL OR r.service = $3) AND (r.company IS NULL OR r.company = $2)
            ORDER BY r.company IS NULL, r.service IS NULL LIMIT 1), 'odoo') END
$$;
