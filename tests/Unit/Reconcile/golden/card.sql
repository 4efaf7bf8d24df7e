-- source, sums
SELECT cdc_span.place, cdc_sum.rows, cdc_sum.hash
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS cdc_span(low, high, place),
LATERAL (SELECT count(*) AS rows, coalesce(sum(coalesce(hashint4extended(id, cdc_row.id + 1099511627777), 0) # coalesce(hashint4extended(program_id, cdc_row.id + 2199023255553), 0) # coalesce(hashint4extended(partner_id, cdc_row.id + 3298534883329), 0) # coalesce(hashint4extended(company_id, cdc_row.id + 4398046511105), 0) # coalesce(hashtextextended((upper(btrim(code, E' \t\n\r\f\x0B') COLLATE "C"))::text COLLATE "C", cdc_row.id + 5497558138881), 0) # coalesce(hashint8extended(CASE WHEN abs(coalesce(points, 0)) < 1e10::float8 AND abs(coalesce(points, 0) * 100::float8 - round(coalesce(points, 0) * 100::float8)) < 0.49::float8 THEN (coalesce(points, 0) * 100::float8)::bigint ELSE (round(coalesce(points, 0)::numeric, 2) * 100)::bigint END, cdc_row.id + 6597069766657), 0) # coalesce(timestamp_hash_extended(create_date, cdc_row.id + 7696581394433), 0) # coalesce(timestamp_hash_extended(write_date, cdc_row.id + 8796093022209), 0)), 0)::text AS hash FROM ONLY public.loyalty_card AS cdc_row WHERE cdc_row.id >= cdc_span.low AND cdc_row.id < cdc_span.high) AS cdc_sum;

-- source, hashes without some keys
SELECT cdc_hash.key, cdc_hash.hash
FROM unnest($1::bigint[], $2::bigint[]) AS cdc_span(low, high),
LATERAL (SELECT cdc_row.id::bigint AS key, coalesce(hashint4extended(id, cdc_row.id + 1099511627777), 0) # coalesce(hashint4extended(program_id, cdc_row.id + 2199023255553), 0) # coalesce(hashint4extended(partner_id, cdc_row.id + 3298534883329), 0) # coalesce(hashint4extended(company_id, cdc_row.id + 4398046511105), 0) # coalesce(hashtextextended((upper(btrim(code, E' \t\n\r\f\x0B') COLLATE "C"))::text COLLATE "C", cdc_row.id + 5497558138881), 0) # coalesce(hashint8extended(CASE WHEN abs(coalesce(points, 0)) < 1e10::float8 AND abs(coalesce(points, 0) * 100::float8 - round(coalesce(points, 0) * 100::float8)) < 0.49::float8 THEN (coalesce(points, 0) * 100::float8)::bigint ELSE (round(coalesce(points, 0)::numeric, 2) * 100)::bigint END, cdc_row.id + 6597069766657), 0) # coalesce(timestamp_hash_extended(create_date, cdc_row.id + 7696581394433), 0) # coalesce(timestamp_hash_extended(write_date, cdc_row.id + 8796093022209), 0) AS hash FROM ONLY public.loyalty_card AS cdc_row WHERE cdc_row.id >= cdc_span.low AND cdc_row.id < cdc_span.high AND NOT cdc_row.id = ANY($3::bigint[])) AS cdc_hash;

-- source, values
SELECT cdc_row.id::bigint, (id)::bigint::text, (program_id)::bigint::text, (partner_id)::bigint::text, (company_id)::bigint::text, (upper(btrim(code, E' \t\n\r\f\x0B') COLLATE "C"))::text, round(coalesce(points, 0)::numeric, 2)::text, (create_date AT TIME ZONE 'UTC')::timestamptz::text, (write_date AT TIME ZONE 'UTC')::timestamptz::text FROM ONLY public.loyalty_card AS cdc_row WHERE cdc_row.id = ANY($1::bigint[]);

-- source, one value
SELECT (program_id)::bigint::text FROM ONLY public.loyalty_card AS cdc_row WHERE cdc_row.id = $1;

-- source, is there
SELECT EXISTS (SELECT FROM ONLY public.loyalty_card AS cdc_row WHERE cdc_row.id = $1);

-- source, rows
SELECT coalesce(sum(cdc_sum.rows), 0)::bigint FROM unnest($1::bigint[], $2::bigint[]) AS cdc_span(low, high),
LATERAL (SELECT count(*) AS rows FROM ONLY public.loyalty_card AS cdc_row WHERE cdc_row.id >= cdc_span.low AND cdc_row.id < cdc_span.high) AS cdc_sum;

-- source, ends
SELECT (SELECT min(cdc_row.id)::bigint FROM ONLY public.loyalty_card AS cdc_row WHERE cdc_row.id >= $1), (SELECT max(cdc_row.id)::bigint FROM ONLY public.loyalty_card AS cdc_row WHERE cdc_row.id < $2);

-- engine, sums
SELECT cdc_span.place, cdc_sum.rows, cdc_sum.hash
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS cdc_span(low, high, place),
LATERAL (SELECT count(*) AS rows, coalesce(sum(coalesce(hashint8extended(odoo_card_id::bigint, cdc_row.id + 1099511627777), 0) # coalesce(hashint8extended(program_id::bigint, cdc_row.id + 2199023255553), 0) # coalesce(hashint8extended(partner_id::bigint, cdc_row.id + 3298534883329), 0) # coalesce(hashint8extended(company_id::bigint, cdc_row.id + 4398046511105), 0) # coalesce(hashtextextended(code::text COLLATE "C", cdc_row.id + 5497558138881), 0) # coalesce(hashint8extended((points * 100)::bigint, cdc_row.id + 6597069766657), 0) # coalesce(timestamp_hash_extended(created_at::timestamptz AT TIME ZONE INTERVAL '0', cdc_row.id + 7696581394433), 0) # coalesce(timestamp_hash_extended(updated_at::timestamptz AT TIME ZONE INTERVAL '0', cdc_row.id + 8796093022209), 0)), 0)::text AS hash FROM public.loyalty_cards AS cdc_row WHERE cdc_row.id >= cdc_span.low AND cdc_row.id < cdc_span.high) AS cdc_sum;

-- engine, hashes without some keys
SELECT cdc_hash.key, cdc_hash.hash
FROM unnest($1::bigint[], $2::bigint[]) AS cdc_span(low, high),
LATERAL (SELECT cdc_row.id::bigint AS key, coalesce(hashint8extended(odoo_card_id::bigint, cdc_row.id + 1099511627777), 0) # coalesce(hashint8extended(program_id::bigint, cdc_row.id + 2199023255553), 0) # coalesce(hashint8extended(partner_id::bigint, cdc_row.id + 3298534883329), 0) # coalesce(hashint8extended(company_id::bigint, cdc_row.id + 4398046511105), 0) # coalesce(hashtextextended(code::text COLLATE "C", cdc_row.id + 5497558138881), 0) # coalesce(hashint8extended((points * 100)::bigint, cdc_row.id + 6597069766657), 0) # coalesce(timestamp_hash_extended(created_at::timestamptz AT TIME ZONE INTERVAL '0', cdc_row.id + 7696581394433), 0) # coalesce(timestamp_hash_extended(updated_at::timestamptz AT TIME ZONE INTERVAL '0', cdc_row.id + 8796093022209), 0) AS hash FROM public.loyalty_cards AS cdc_row WHERE cdc_row.id >= cdc_span.low AND cdc_row.id < cdc_span.high AND NOT cdc_row.id = ANY($3::bigint[])) AS cdc_hash;

-- engine, values
SELECT cdc_row.id::bigint, odoo_card_id::bigint::text, program_id::bigint::text, partner_id::bigint::text, company_id::bigint::text, code::text, points::text, created_at::timestamptz::text, updated_at::timestamptz::text FROM public.loyalty_cards AS cdc_row WHERE cdc_row.id = ANY($1::bigint[]);

-- engine, one value
SELECT program_id::bigint::text FROM public.loyalty_cards AS cdc_row WHERE cdc_row.id = $1;

-- engine, is there
SELECT EXISTS (SELECT FROM public.loyalty_cards AS cdc_row WHERE cdc_row.id = $1);

-- engine, rows
SELECT coalesce(sum(cdc_sum.rows), 0)::bigint FROM unnest($1::bigint[], $2::bigint[]) AS cdc_span(low, high),
LATERAL (SELECT count(*) AS rows FROM public.loyalty_cards AS cdc_row WHERE cdc_row.id >= cdc_span.low AND cdc_row.id < cdc_span.high) AS cdc_sum;

-- engine, ends
SELECT (SELECT min(cdc_row.id)::bigint FROM public.loyalty_cards AS cdc_row WHERE cdc_row.id >= $1), (SELECT max(cdc_row.id)::bigint FROM public.loyalty_cards AS cdc_row WHERE cdc_row.id < $2);

-- source, a window of time
SELECT coalesce(sum(cdc_sum.rows), 0)::bigint FROM unnest($1::bigint[], $2::bigint[]) AS cdc_span(low, high),
LATERAL (SELECT count(*) AS rows FROM ONLY public.loyalty_card AS cdc_row WHERE cdc_row.id >= cdc_span.low AND cdc_row.id < cdc_span.high AND coalesce(greatest((create_date AT TIME ZONE 'UTC')::timestamptz, (write_date AT TIME ZONE 'UTC')::timestamptz) >= '2026-01-02 03:04:05.000000+00'::timestamptz, true)) AS cdc_sum;

-- engine, a window of time
SELECT coalesce(sum(cdc_sum.rows), 0)::bigint FROM unnest($1::bigint[], $2::bigint[]) AS cdc_span(low, high),
LATERAL (SELECT count(*) AS rows FROM public.loyalty_cards AS cdc_row WHERE cdc_row.id >= cdc_span.low AND cdc_row.id < cdc_span.high AND coalesce(greatest(created_at::timestamptz, updated_at::timestamptz) >= '2026-01-02 03:04:05.000000+00'::timestamptz, true)) AS cdc_sum;
