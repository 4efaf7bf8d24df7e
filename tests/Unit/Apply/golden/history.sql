-- staging tables
CREATE TEMP TABLE stage_history (key bigint, odoo_history_id integer, loyalty_card_id bigint, point_move_id bigint, points_amount numeric(18,2), points_balance numeric(18,2), transaction_time timestamptz, origin text, membership_product_id bigint, status_membership_product_id bigint, created_at timestamptz, source_generation integer, source_lsn pg_lsn, source_ordinal bigint, source_commit_at timestamptz, updates integer);
CREATE TEMP TABLE holes_history (key bigint, odoo_history_id integer, loyalty_card_id bigint, point_move_id bigint, points_amount numeric(18,2), points_balance numeric(18,2), transaction_time timestamptz, origin text, membership_product_id bigint, status_membership_product_id bigint, created_at timestamptz, source_generation integer, source_lsn pg_lsn, source_ordinal bigint, source_commit_at timestamptz, updates integer, unknown bigint, rekeyed boolean);
COPY stage_history FROM STDIN (FORMAT BINARY);
COPY holes_history FROM STDIN (FORMAT BINARY);

-- straight copy
SELECT coalesce(max(id), -9223372036854775808) FROM public.point_history WHERE id < 4294967296;
SELECT EXISTS (SELECT FROM public.point_history WHERE ($1::bigint IS NULL OR id >= $1) AND ($2::bigint IS NULL OR id < $2) AND id < 4294967296);
COPY public.point_history (id, odoo_history_id, loyalty_card_id, point_move_id, points_amount, points_balance, transaction_time, origin, membership_product_id, status_membership_product_id, created_at, source_generation, source_lsn, source_ordinal, source_commit_at) FROM STDIN (FORMAT BINARY);

-- update
UPDATE public.point_history t SET odoo_history_id = s.odoo_history_id, loyalty_card_id = s.loyalty_card_id, point_move_id = s.point_move_id, points_amount = s.points_amount, points_balance = s.points_balance, transaction_time = s.transaction_time, origin = s.origin, membership_product_id = s.membership_product_id, status_membership_product_id = s.status_membership_product_id, created_at = s.created_at, source_generation = s.source_generation, source_lsn = s.source_lsn, source_ordinal = s.source_ordinal, source_commit_at = s.source_commit_at FROM stage_history s WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);

-- upsert
INSERT INTO public.point_history AS t (id, odoo_history_id, loyalty_card_id, point_move_id, points_amount, points_balance, transaction_time, origin, membership_product_id, status_membership_product_id, created_at, source_generation, source_lsn, source_ordinal, source_commit_at)
SELECT s.key, s.odoo_history_id, s.loyalty_card_id, s.point_move_id, s.points_amount, s.points_balance, s.transaction_time, s.origin, s.membership_product_id, s.status_membership_product_id, s.created_at, s.source_generation, s.source_lsn, s.source_ordinal, s.source_commit_at
FROM stage_history s
ON CONFLICT (id) DO UPDATE SET odoo_history_id = EXCLUDED.odoo_history_id, loyalty_card_id = EXCLUDED.loyalty_card_id, point_move_id = EXCLUDED.point_move_id, points_amount = EXCLUDED.points_amount, points_balance = EXCLUDED.points_balance, transaction_time = EXCLUDED.transaction_time, origin = EXCLUDED.origin, membership_product_id = EXCLUDED.membership_product_id, status_membership_product_id = EXCLUDED.status_membership_product_id, created_at = EXCLUDED.created_at, source_generation = EXCLUDED.source_generation, source_lsn = EXCLUDED.source_lsn, source_ordinal = EXCLUDED.source_ordinal, source_commit_at = EXCLUDED.source_commit_at
WHERE (t.source_generation, t.source_lsn, t.source_ordinal) < (EXCLUDED.source_generation, EXCLUDED.source_lsn, EXCLUDED.source_ordinal);

-- upsert that meets entries
INSERT INTO public.point_history AS t (id, odoo_history_id, loyalty_card_id, point_move_id, points_amount, points_balance, transaction_time, origin, membership_product_id, status_membership_product_id, created_at, source_generation, source_lsn, source_ordinal, source_commit_at)
SELECT s.key, s.odoo_history_id, s.loyalty_card_id, s.point_move_id, s.points_amount, s.points_balance, s.transaction_time, s.origin, s.membership_product_id, s.status_membership_product_id, s.created_at, s.source_generation, s.source_lsn, s.source_ordinal, s.source_commit_at
FROM stage_history s WHERE NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'history' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal))
ON CONFLICT (id) DO UPDATE SET odoo_history_id = EXCLUDED.odoo_history_id, loyalty_card_id = EXCLUDED.loyalty_card_id, point_move_id = EXCLUDED.point_move_id, points_amount = EXCLUDED.points_amount, points_balance = EXCLUDED.points_balance, transaction_time = EXCLUDED.transaction_time, origin = EXCLUDED.origin, membership_product_id = EXCLUDED.membership_product_id, status_membership_product_id = EXCLUDED.status_membership_product_id, created_at = EXCLUDED.created_at, source_generation = EXCLUDED.source_generation, source_lsn = EXCLUDED.source_lsn, source_ordinal = EXCLUDED.source_ordinal, source_commit_at = EXCLUDED.source_commit_at
WHERE (t.source_generation, t.source_lsn, t.source_ordinal) < (EXCLUDED.source_generation, EXCLUDED.source_lsn, EXCLUDED.source_ordinal);
DELETE FROM cdc.quarantine e USING stage_history s WHERE e.entity = 'history' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);
DELETE FROM cdc.rereads e USING stage_history s WHERE e.entity = 'history' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);

-- delete
DELETE FROM public.point_history t USING unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[]) s(key, source_generation, source_lsn, source_ordinal) WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);

-- delete that meets entries
DELETE FROM public.point_history t USING unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[]) s(key, source_generation, source_lsn, source_ordinal) WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);
DELETE FROM cdc.quarantine e USING unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[]) s(key, source_generation, source_lsn, source_ordinal) WHERE e.entity = 'history' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);
DELETE FROM cdc.rereads e USING unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[]) s(key, source_generation, source_lsn, source_ordinal) WHERE e.entity = 'history' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);

-- truncate
DELETE FROM public.point_history t WHERE t.id < 4294967296 AND (t.source_generation, t.source_lsn, t.source_ordinal) < ($1::integer, $2::pg_lsn, $3::bigint);
DELETE FROM cdc.quarantine e WHERE e.entity = 'history' AND (e.generation, e.lsn, e.ordinal) < ($1::integer, $2::pg_lsn, $3::bigint);
DELETE FROM cdc.rereads e WHERE e.entity = 'history' AND (e.generation, e.lsn, e.ordinal) < ($1::integer, $2::pg_lsn, $3::bigint);
INSERT INTO cdc.floors AS f (entity, generation, lsn, ordinal) VALUES ('history', $1::integer, $2::pg_lsn, $3::bigint)
ON CONFLICT (entity) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal
WHERE (f.generation, f.lsn, f.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal);

-- holes
DELETE FROM holes_history s USING public.point_history t WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal);
DELETE FROM holes_history s WHERE NOT (NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'history' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal)));
WITH whole AS (
    UPDATE public.point_history t SET odoo_history_id = CASE WHEN s.unknown & 1 <> 0 THEN t.odoo_history_id ELSE s.odoo_history_id END, loyalty_card_id = CASE WHEN s.unknown & 2 <> 0 THEN t.loyalty_card_id ELSE s.loyalty_card_id END, point_move_id = CASE WHEN s.unknown & 4 <> 0 THEN t.point_move_id ELSE s.point_move_id END, points_amount = CASE WHEN s.unknown & 8 <> 0 THEN t.points_amount ELSE s.points_amount END, points_balance = CASE WHEN s.unknown & 16 <> 0 THEN t.points_balance ELSE s.points_balance END, transaction_time = CASE WHEN s.unknown & 32 <> 0 THEN t.transaction_time ELSE s.transaction_time END, origin = CASE WHEN s.unknown & 64 <> 0 THEN t.origin ELSE s.origin END, membership_product_id = CASE WHEN s.unknown & 128 <> 0 THEN t.membership_product_id ELSE s.membership_product_id END, status_membership_product_id = CASE WHEN s.unknown & 256 <> 0 THEN t.status_membership_product_id ELSE s.status_membership_product_id END, created_at = CASE WHEN s.unknown & 512 <> 0 THEN t.created_at ELSE s.created_at END, source_generation = s.source_generation, source_lsn = s.source_lsn, source_ordinal = s.source_ordinal, source_commit_at = s.source_commit_at FROM holes_history s
    WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal) AND NOT s.rekeyed AND s.unknown >= 0 AND (t.source_generation, t.source_lsn) >= (SELECT w.whole_generation, w.whole_lsn FROM cdc.tables w WHERE w.entity = 'history')
      AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = s.key)
      AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'history' AND e.key = s.key)
    RETURNING s.key)
DELETE FROM holes_history s USING whole WHERE s.key = whole.key;
UPDATE public.point_history t SET odoo_history_id = CASE WHEN s.unknown & 1 <> 0 THEN t.odoo_history_id ELSE s.odoo_history_id END, loyalty_card_id = CASE WHEN s.unknown & 2 <> 0 THEN t.loyalty_card_id ELSE s.loyalty_card_id END, point_move_id = CASE WHEN s.unknown & 4 <> 0 THEN t.point_move_id ELSE s.point_move_id END, points_amount = CASE WHEN s.unknown & 8 <> 0 THEN t.points_amount ELSE s.points_amount END, points_balance = CASE WHEN s.unknown & 16 <> 0 THEN t.points_balance ELSE s.points_balance END, transaction_time = CASE WHEN s.unknown & 32 <> 0 THEN t.transaction_time ELSE s.transaction_time END, origin = CASE WHEN s.unknown & 64 <> 0 THEN t.origin ELSE s.origin END, membership_product_id = CASE WHEN s.unknown & 128 <> 0 THEN t.membership_product_id ELSE s.membership_product_id END, status_membership_product_id = CASE WHEN s.unknown & 256 <> 0 THEN t.status_membership_product_id ELSE s.status_membership_product_id END, created_at = CASE WHEN s.unknown & 512 <> 0 THEN t.created_at ELSE s.created_at END, source_generation = s.source_generation, source_lsn = s.source_lsn, source_ordinal = s.source_ordinal, source_commit_at = s.source_commit_at FROM holes_history s WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal) AND s.unknown >= 0;
INSERT INTO cdc.rereads AS e (entity, key, generation, lsn, ordinal) SELECT 'history', s.key, s.source_generation, s.source_lsn, s.source_ordinal FROM holes_history s
ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal;

-- quarantine
DELETE FROM cdc.rereads e USING unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])
s(key, source_generation, source_lsn, source_ordinal, reason, detail, source_row, commit_at) WHERE e.entity = 'history' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) < (s.source_generation, s.source_lsn, s.source_ordinal);
INSERT INTO cdc.quarantine AS q (entity, key, generation, lsn, ordinal, reason, detail, source_row, commit_at)
SELECT 'history', s.key, s.source_generation, s.source_lsn, s.source_ordinal, s.reason, s.detail, s.source_row, s.commit_at FROM unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])
s(key, source_generation, source_lsn, source_ordinal, reason, detail, source_row, commit_at)
WHERE NOT EXISTS (SELECT FROM public.point_history t WHERE t.id = s.key AND (t.source_generation, t.source_lsn, t.source_ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal))
  AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = s.key AND (e.generation, e.lsn, e.ordinal) >= (s.source_generation, s.source_lsn, s.source_ordinal))
ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal,
    reason = EXCLUDED.reason, detail = EXCLUDED.detail, source_row = EXCLUDED.source_row, commit_at = EXCLUDED.commit_at,
    last_seen = now(), attempts = q.attempts + 1, retry_requested = false
WHERE (q.generation, q.lsn, q.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal);

-- hold what a range did not see
INSERT INTO cdc.held_deletes AS h (entity, key, generation, lsn, ordinal, chunk)
SELECT 'history', gone.key, $5::integer, $6::pg_lsn, $7::bigint, $8::bigint FROM (SELECT t.id FROM public.point_history t WHERE ($1::bigint IS NULL OR t.id >= $1) AND ($2::bigint IS NULL OR t.id < $2) AND t.id < 4294967296 AND NOT t.id = ANY($4::bigint[]) AND (t.source_generation, t.source_lsn, t.source_ordinal) < ($5::integer, $6::pg_lsn, $7::bigint) AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'history' AND e.key = t.id AND (e.generation, e.lsn, e.ordinal) >= ($5::integer, $6::pg_lsn, $7::bigint)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = t.id AND (e.generation, e.lsn, e.ordinal) >= ($5::integer, $6::pg_lsn, $7::bigint)) UNION SELECT e.key FROM cdc.quarantine e WHERE e.entity = 'history' AND ($1::bigint IS NULL OR e.key >= $1) AND ($2::bigint IS NULL OR e.key < $2) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint) UNION SELECT e.key FROM cdc.rereads e WHERE e.entity = 'history' AND ($1::bigint IS NULL OR e.key >= $1) AND ($2::bigint IS NULL OR e.key < $2) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint)) gone(key)
ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal, chunk = EXCLUDED.chunk
WHERE (h.generation, h.lsn, h.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal);

-- hold what keys did not see
INSERT INTO cdc.held_deletes AS h (entity, key, generation, lsn, ordinal, chunk)
SELECT 'history', gone.key, $5::integer, $6::pg_lsn, $7::bigint, $8::bigint FROM (SELECT t.id FROM public.point_history t WHERE t.id = ANY($3::bigint[]) AND t.id < 4294967296 AND NOT t.id = ANY($4::bigint[]) AND (t.source_generation, t.source_lsn, t.source_ordinal) < ($5::integer, $6::pg_lsn, $7::bigint) AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'history' AND e.key = t.id AND (e.generation, e.lsn, e.ordinal) >= ($5::integer, $6::pg_lsn, $7::bigint)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = t.id AND (e.generation, e.lsn, e.ordinal) >= ($5::integer, $6::pg_lsn, $7::bigint)) UNION SELECT e.key FROM cdc.quarantine e WHERE e.entity = 'history' AND e.key = ANY($3::bigint[]) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint) UNION SELECT e.key FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = ANY($3::bigint[]) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint)) gone(key)
ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal, chunk = EXCLUDED.chunk
WHERE (h.generation, h.lsn, h.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal);

-- hold entries alone
INSERT INTO cdc.held_deletes AS h (entity, key, generation, lsn, ordinal, chunk)
SELECT 'history', gone.key, $5::integer, $6::pg_lsn, $7::bigint, $8::bigint FROM (SELECT e.key FROM cdc.quarantine e WHERE e.entity = 'history' AND ($1::bigint IS NULL OR e.key >= $1) AND ($2::bigint IS NULL OR e.key < $2) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint) UNION SELECT e.key FROM cdc.rereads e WHERE e.entity = 'history' AND ($1::bigint IS NULL OR e.key >= $1) AND ($2::bigint IS NULL OR e.key < $2) AND e.key < 4294967296 AND NOT e.key = ANY($4::bigint[]) AND (e.generation, e.lsn, e.ordinal) < ($5::integer, $6::pg_lsn, $7::bigint)) gone(key)
ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal, chunk = EXCLUDED.chunk
WHERE (h.generation, h.lsn, h.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal);

-- held keys
SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM cdc.requests r WHERE r.entity = 'history' AND r.state = 'accepted' AND r.allow_deletes IS NOT NULL AND (r.from_key IS NULL OR h.key >= r.from_key) AND (r.to_key IS NULL OR h.key < r.to_key)))
FROM cdc.held_deletes h WHERE h.entity = 'history' AND (
    EXISTS (SELECT FROM public.point_history t WHERE t.id = h.key AND t.id < 4294967296 AND (t.source_generation, t.source_lsn, t.source_ordinal) < (h.generation, h.lsn, h.ordinal) AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)))
    OR EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal)) OR EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal)));
SELECT count(*) FROM public.point_history t WHERE t.id < 4294967296;

-- delete what is held
WITH gone AS (DELETE FROM public.point_history t USING cdc.held_deletes h WHERE h.entity = 'history' AND t.id = h.key AND t.id < 4294967296 AND (t.source_generation, t.source_lsn, t.source_ordinal) < (h.generation, h.lsn, h.ordinal) AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)) RETURNING h.chunk, h.key),
     counted AS (UPDATE cdc.chunks c SET swept = c.swept + g.rows FROM (SELECT chunk, count(*) AS rows FROM gone GROUP BY chunk) g WHERE c.id = g.chunk)
SELECT count(*) FROM gone;
DELETE FROM cdc.quarantine e USING cdc.held_deletes h WHERE h.entity = 'history' AND e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal);
DELETE FROM cdc.rereads e USING cdc.held_deletes h WHERE h.entity = 'history' AND e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal);

-- delete what is held, over Kafka
WITH gone AS (DELETE FROM public.point_history t USING cdc.held_deletes h WHERE h.entity = 'history' AND t.id = h.key AND t.id < 4294967296 AND (t.source_generation, t.source_lsn, t.source_ordinal) < (h.generation, h.lsn, h.ordinal) AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)) AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) >= (h.generation, h.lsn, h.ordinal)) RETURNING h.chunk, h.key),
     counted AS (UPDATE cdc.chunks c SET swept = c.swept + g.rows FROM (SELECT chunk, count(*) AS rows FROM gone GROUP BY chunk) g WHERE c.id = g.chunk),
     owed AS (INSERT INTO cdc.owed_deletes (entity, key) SELECT 'history', key FROM gone ON CONFLICT DO NOTHING)
SELECT count(*) FROM gone;
WITH gone AS (DELETE FROM cdc.quarantine e USING cdc.held_deletes h WHERE h.entity = 'history' AND e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal) RETURNING e.key) INSERT INTO cdc.owed_deletes (entity, key) SELECT 'history', key FROM gone ON CONFLICT DO NOTHING;
WITH gone AS (DELETE FROM cdc.rereads e USING cdc.held_deletes h WHERE h.entity = 'history' AND e.entity = 'history' AND e.key = h.key AND (e.generation, e.lsn, e.ordinal) < (h.generation, h.lsn, h.ordinal) RETURNING e.key) INSERT INTO cdc.owed_deletes (entity, key) SELECT 'history', key FROM gone ON CONFLICT DO NOTHING;

