-- staging tables
CREATE TEMP TABLE stage_card (key bigint, odoo_card_id integer, program_id bigint, partner_id bigint, company_id bigint, code varchar(512), points numeric(18,2), created_at timestamptz, updated_at timestamptz, source_generation integer, source_lsn pg_lsn, source_ordinal bigint, source_commit_at timestamptz, updates integer);
CREATE TEMP TABLE holes_card (key bigint, odoo_card_id integer, program_id bigint, partner_id bigint, company_id bigint, code varchar(512), points numeric(18,2), created_at timestamptz, updated_at timestamptz, source_generation integer, source_lsn pg_lsn, source_ordinal bigint, source_commit_at timestamptz, updates integer, unknown bigint, rekeyed boolean);
COPY stage_card FROM STDIN (FORMAT BINARY);
COPY holes_card FROM STDIN (FORMAT BINARY);

-- straight copy
SELECT coalesce(max(id), -9223372036854775808) FROM public.loyalty_cards WHERE id < 4294967296;
SELECT EXISTS (SELECT FROM public.loyalty_cards WHERE ($1::bigint IS NULL OR id >= $1) AND ($2::bigint IS NULL OR id < $2) AND id < 4294967296);
COPY public.loyalty_cards (id, odoo_card_id, program_id, partner_id, company_id, code, points, created_at, updated_at, source_generation, source_lsn, source_ordinal, source_commit_at) FROM STDIN (FORMAT BINARY);

-- update
UPDATE public.loyalty_cards t SET odoo_card_id = s.odoo_card_id, program_id = s.program_id, partner_id = s.partner_id, company_id = s.company_id, code = s.code, points = s.points, created_at = s.created_at, updated_at = s.updated_at, source_generation = s.source_generation, source_lsn = s.source_lsn, source_ordinal = s.source_ordinal, source_commit_at = s.source_commit_at, sync_version = t.sync_version + s.updates FROM stage_card s WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);

-- upsert
INSERT INTO public.loyalty_cards AS t (id, odoo_card_id, program_id, partner_id, company_id, code, points, created_at, updated_at, source_generation, source_lsn, source_ordinal, source_commit_at, sync_version)
SELECT s.key, s.odoo_card_id, s.program_id, s.partner_id, s.company_id, s.code, s.points, s.created_at, s.updated_at, s.source_generation, s.source_lsn, s.source_ordinal, s.source_commit_at, s.updates
FROM stage_card s
ON CONFLICT (id) DO UPDATE SET odoo_card_id = EXCLUDED.odoo_card_id, program_id = EXCLUDED.program_id, partner_id = EXCLUDED.partner_id, company_id = EXCLUDED.company_id, code = EXCLUDED.code, points = EXCLUDED.points, created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at, source_generation = EXCLUDED.source_generation, source_lsn = EXCLUDED.source_lsn, source_ordinal = EXCLUDED.source_ordinal, source_commit_at = EXCLUDED.source_commit_at, sync_version = t.sync_version + CASE WHEN EXCLUDED.source_ordinal < 0 THEN ((t.odoo_card_id, t.program_id, t.partner_id, t.company_id, t.code, t.points, t.created_at, t.updated_at) IS DISTINCT FROM (EXCLUDED.odoo_card_id, EXCLUDED.program_id, EXCLUDED.partner_id, EXCLUDED.company_id, EXCLUDED.code, EXCLUDED.points, EXCLUDED.created_at, EXCLUDED.updated_at))::integer ELSE EXCLUDED.sync_version END
WHERE (t.source_generation, t.source_lsn, t.source_ordinal) < (EXCLUDED.source_generation, EXCLUDED.source_lsn, EXCLUDED.source_ordinal);

-- upsert that meets entries
INSERT INTO public.loyalty_cards AS t (id, odoo_card_id, program_id, partner_id, company_id, code, points, created_at, updated_at, source_generation, source_lsn, source_ordinal, source_commit_at, sync_version)
SELECT s.key, s.odoo_card_id, s.program_id, s.partner_id, s.company_id, s.code, s.points, s.created_at, s.updated_at, s.source_generation, s.source_lsn, s.source_ordinal, s.source_commit_at, s.updates
FROM stage_card s WHERE NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'card' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal))
ON CONFLICT (id) DO UPDATE SET odoo_card_id = EXCLUDED.odoo_card_id, program_id = EXCLUDED.program_id, partner_id = EXCLUDED.partner_id, company_id = EXCLUDED.company_id, code = EXCLUDED.code, points = EXCLUDED.points, created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at, source_generation = EXCLUDED.source_generation, source_lsn = EXCLUDED.source_lsn, source_ordinal = EXCLUDED.source_ordinal, source_commit_at = EXCLUDED.source_commit_at, sync_version = t.sync_version + CASE WHEN EXCLUDED.source_ordinal < 0 THEN ((t.odoo_card_id, t.program_id, t.partner_id, t.company_id, t.code, t.points, t.created_at, t.updated_at) IS DISTINCT FROM (EXCLUDED.odoo_card_id, EXCLUDED.program_id, EXCLUDED.partner_id, EXCLUDED.company_id, EXCLUDED.code, EXCLUDED.points, EXCLUDED.created_at, EXCLUDED.updated_at))::integer ELSE EXCLUDED.sync_version END
WHERE (t.source_generation, t.source_lsn, t.source_ordinal) < (EXCLUDED.source_generation, EXCLUDED.source_lsn, EXCLUDED.source_ordinal);
DELETE FROM cdc.quarantine e USING stage_card s WHERE e.entity = 'card' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);
DELETE FROM cdc.rereads e USING stage_card s WHERE e.entity = 'card' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);

-- delete
DELETE FROM public.loyalty_cards t USING unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[]) s(key, source_generation, source_lsn, source_ordinal) WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);

-- delete that meets entries
DELETE FROM public.loyalty_cards t USING unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[]) s(key, source_generation, source_lsn, source_ordinal) WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);
DELETE FROM cdc.quarantine e USING unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[]) s(key, source_generation, source_lsn, source_ordinal) WHERE e.entity = 'card' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);
DELETE FROM cdc.rereads e USING unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[]) s(key, source_generation, source_lsn, source_ordinal) WHERE e.entity = 'card' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);

-- truncate
DELETE FROM public.loyalty_cards t WHERE t.id < 4294967296 AND (t.source_generation, t.source_lsn, t.source_ordinal) < ($1::integer, $2::pg_lsn, $3::bigint);
DELETE FROM cdc.quarantine e WHERE e.entity = 'card' AND (e.generation, e.lsn, e.ordinal) < ($1::integer, $2::pg_lsn, $3::bigint);
DELETE FROM cdc.rereads e WHERE e.entity = 'card' AND (e.generation, e.lsn, e.ordinal) < ($1::integer, $2::pg_lsn, $3::bigint);
INSERT INTO cdc.floors AS f (entity, generation, lsn, ordinal) VALUES ('card', $1::integer, $2::pg_lsn, $3::bigint)
ON CONFLICT (entity) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal
WHERE (f.generation, f.lsn, f.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal);

-- holes
DELETE FROM holes_card s USING public.loyalty_cards t WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal);
DELETE FROM holes_card s WHERE NOT (NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'card' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal)));
WITH whole AS (
    UPDATE public.loyalty_cards t SET odoo_card_id = CASE WHEN s.unknown & 1 <> 0 THEN t.odoo_card_id ELSE s.odoo_card_id END, program_id = CASE WHEN s.unknown & 2 <> 0 THEN t.program_id ELSE s.program_id END, partner_id = CASE WHEN s.unknown & 4 <> 0 THEN t.partner_id ELSE s.partner_id END, company_id = CASE WHEN s.unknown & 8 <> 0 THEN t.company_id ELSE s.company_id END, code = CASE WHEN s.unknown & 16 <> 0 THEN t.code ELSE s.code END, points = CASE WHEN s.unknown & 32 <> 0 THEN t.points ELSE s.points END, created_at = CASE WHEN s.unknown & 64 <> 0 THEN t.created_at ELSE s.created_at END, updated_at = CASE WHEN s.unknown & 128 <> 0 THEN t.updated_at ELSE s.updated_at END, source_generation = s.source_generation, source_lsn = s.source_lsn, source_ordinal = s.source_ordinal, source_commit_at = s.source_commit_at, sync_version = t.sync_version + s.updates FROM holes_card s
    WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal) AND NOT s.rekeyed AND s.unknown >= 0 AND (t.source_generation, t.source_lsn) >= (SELECT w.whole_generation, w.whole_lsn FROM cdc.tables w WHERE w.entity = 'card')
      AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = s.key)
      AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'card' AND e.key = s.key)
    RETURNING s.key)
DELETE FROM holes_card s USING whole WHERE s.key = whole.key;
UPDATE public.loyalty_cards t SET odoo_card_id = CASE WHEN s.unknown & 1 <> 0 THEN t.odoo_card_id ELSE s.odoo_card_id END, program_id = CASE WHEN s.unknown & 2 <> 0 THEN t.program_id ELSE s.program_id END, partner_id = CASE WHEN s.unknown & 4 <> 0 THEN t.partner_id ELSE s.partner_id END, company_id = CASE WHEN s.unknown & 8 <> 0 THEN t.company_id ELSE s.company_id END, code = CASE WHEN s.unknown & 16 <> 0 THEN t.code ELSE s.code END, points = CASE WHEN s.unknown & 32 <> 0 THEN t.points ELSE s.points END, created_at = CASE WHEN s.unknown & 64 <> 0 THEN t.created_at ELSE s.created_at END, updated_at = CASE WHEN s.unknown & 128 <> 0 THEN t.updated_at ELSE s.updated_at END, source_generation = s.source_generation, source_lsn = s.source_lsn, source_ordinal = s.source_ordinal, source_commit_at = s.source_commit_at, sync_version = t.sync_version + s.updates FROM holes_card s WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal) AND s.unknown >= 0;
INSERT INTO cdc.rereads AS e (entity, key, generation, lsn, ordinal) SELECT 'card', s.key, s.source_generation, s.source_lsn, s.source_ordinal FROM holes_card s
ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal;

-- quarantine
DELETE FROM cdc.rereads e USING unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])
s(key, source_generation, source_lsn, source_ordinal, reason, detail, source_row, commit_at) WHERE e.entity = 'card' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);
INSERT INTO cdc.quarantine AS q (entity, key, generation, lsn, ordinal, reason, detail, source_row, commit_at)
SELECT 'card', s.key, s.source_generation, s.source_lsn, s.source_ordinal, s.reason, s.detail, s.source_row, s.commit_at FROM unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])
s(key, source_generation, source_lsn, source_ordinal, reason, detail, source_row, commit_at)
WHERE NOT EXISTS (SELECT FROM public.loyalty_cards t WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal))
  AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal))
ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal,
    reason = EXCLUDED.reason, detail = EXCLUDED.detail, source_row = EXCLUDED.source_row, commit_at = EXCLUDED.commit_at,
    last_seen = now(), attempts = q.attempts + 1, retry_requested = false
WHERE (q.generation, q.lsn, q.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal);

-- hold what a range did not see
INSERT INTO cdc.held_deletes AS h (entity, key, generation, lsn, ordinal, chunk)
SELECT 'card', gone.key, $5::integer, $6::pg_lsn, $7::bigint, $8::bigint FROM (SELECT t.id FROM public.loyalty_cards t WHERE ($1::bigint IS NULL OR t.id >= $1) AND ($2::bigint IS NULL OR t.id < $2) AND t.id < 4294967296 AND NOT t.id = ANY($4::bigint[]) AND (t.source_generation, t.source_lsn, t.source_ordinal) < ($5::integer, $6::pg_lsn, $7::bigint) AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'card' AND e.key = t.id AND (e.generation, e.lsn, e.ordinal) >= ($5::integer, $6::pg_lsn, $7::bigint)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = t.id AND (e.generation, e.lsn, e.ordinal) >= ($5::integer, $6::pg_lsn, $7::bigint)) UNION SELECT e.key FROM cdc.quarantine e WHERE e.entity = 'card' AND ($1::bigint IS NULL OR e.key >= $1) AND ($2::bigint IS NULL OR e.key < $2) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint) UNION SELECT e.key FROM cdc.rereads e WHERE e.entity = 'card' AND ($1::bigint IS NULL OR e.key >= $1) AND ($2::bigint IS NULL OR e.key < $2) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint)) gone(key)
ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal, chunk = EXCLUDED.chunk
WHERE (h.generation, h.lsn, h.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal);

-- hold what keys did not see
INSERT INTO cdc.held_deletes AS h (entity, key, generation, lsn, ordinal, chunk)
SELECT 'card', gone.key, $5::integer, $6::pg_lsn, $7::bigint, $8::bigint FROM (SELECT t.id FROM public.loyalty_cards t WHERE t.id = ANY($3::bigint[]) AND t.id < 4294967296 AND NOT t.id = ANY($4::bigint[]) AND (t.source_generation, t.source_lsn, t.source_ordinal) < ($5::integer, $6::pg_lsn, $7::bigint) AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'card' AND e.key = t.id AND (e.generation, e.lsn, e.ordinal) >= ($5::integer, $6::pg_lsn, $7::bigint)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = t.id AND (e.generation, e.lsn, e.ordinal) >= ($5::integer, $6::pg_lsn, $7::bigint)) UNION SELECT e.key FROM cdc.quarantine e WHERE e.entity = 'card' AND e.key = ANY($3::bigint[]) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint) UNION SELECT e.key FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = ANY($3::bigint[]) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint)) gone(key)
ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal, chunk = EXCLUDED.chunk
WHERE (h.generation, h.lsn, h.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal);

-- hold entries alone
INSERT INTO cdc.held_deletes AS h (entity, key, generation, lsn, ordinal, chunk)
SELECT 'card', gone.key, $5::integer, $6::pg_lsn, $7::bigint, $8::bigint FROM (SELECT e.key FROM cdc.quarantine e WHERE e.entity = 'card' AND ($1::bigint IS NULL OR e.key >= $1) AND ($2::bigint IS NULL OR e.key < $2) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint) UNION SELECT e.key FROM cdc.rereads e WHERE e.entity = 'card' AND ($1::bigint IS NULL OR e.key >= $1) AND ($2::bigint IS NULL OR e.key < $2) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint)) gone(key)
ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal, chunk = EXCLUDED.chunk
WHERE (h.generation, h.lsn, h.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal);

-- held keys
SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM cdc.requests r WHERE r.entity = 'card' AND r.state = 'accepted' AND r.allow_deletes IS NOT NULL AND (r.from_key IS NULL OR h.key >= r.from_key) AND (r.to_key IS NULL OR h.key < r.to_key)))
FROM cdc.held_deletes h WHERE h.entity = 'card' AND (
    EXISTS (SELECT FROM public.loyalty_cards t WHERE t.id = h.key AND t.id < 4294967296 AND (t.source_generation, t.source_lsn, t.source_ordinal) < (h.generation, h.lsn, h.ordinal) AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)))
    OR EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal)) OR EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal)));
SELECT count(*) FROM public.loyalty_cards t WHERE t.id < 4294967296;

-- delete what is held
WITH gone AS (DELETE FROM public.loyalty_cards t USING cdc.held_deletes h WHERE h.entity = 'card' AND t.id = h.key AND t.id < 4294967296 AND (t.source_generation, t.source_lsn, t.source_ordinal) < (h.generation, h.lsn, h.ordinal) AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)) RETURNING h.chunk, h.key),
     counted AS (UPDATE cdc.chunks c SET swept = c.swept + g.rows FROM (SELECT chunk, count(*) AS rows FROM gone GROUP BY chunk) g WHERE c.id = g.chunk)
SELECT count(*) FROM gone;
DELETE FROM cdc.quarantine e USING cdc.held_deletes h WHERE h.entity = 'card' AND e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal);
DELETE FROM cdc.rereads e USING cdc.held_deletes h WHERE h.entity = 'card' AND e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal);

-- delete what is held, over Kafka
WITH gone AS (DELETE FROM public.loyalty_cards t USING cdc.held_deletes h WHERE h.entity = 'card' AND t.id = h.key AND t.id < 4294967296 AND (t.source_generation, t.source_lsn, t.source_ordinal) < (h.generation, h.lsn, h.ordinal) AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)) RETURNING h.chunk, h.key),
     counted AS (UPDATE cdc.chunks c SET swept = c.swept + g.rows FROM (SELECT chunk, count(*) AS rows FROM gone GROUP BY chunk) g WHERE c.id = g.chunk),
     owed AS (INSERT INTO cdc.owed_deletes (entity, key) SELECT 'card', key FROM gone ON CONFLICT DO NOTHING)
SELECT count(*) FROM gone;
WITH gone AS (DELETE FROM cdc.quarantine e USING cdc.held_deletes h WHERE h.entity = 'card' AND e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal) RETURNING e.key) INSERT INTO cdc.owed_deletes (entity, key) SELECT 'card', key FROM gone ON CONFLICT DO NOTHING;
WITH gone AS (DELETE FROM cdc.rereads e USING cdc.held_deletes h WHERE h.entity = 'card' AND e.entity = 'card' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal) RETURNING e.key) INSERT INTO cdc.owed_deletes (entity, key) SELECT 'card', key FROM gone ON CONFLICT DO NOTHING;

