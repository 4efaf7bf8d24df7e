DROP TABLE public.partners;
ALTER TABLE public.promotion_programs
    DROP COLUMN applies_on, DROP COLUMN point_name, DROP COLUMN date_from, DROP COLUMN date_to, DROP COLUMN starts_at, DROP COLUMN ends_at,
    DROP COLUMN membership_product_id, DROP COLUMN expire_after;
ALTER TABLE public.point_history
    DROP COLUMN issued, DROP COLUMN used, DROP COLUMN order_model, DROP COLUMN order_id, DROP COLUMN expiration_date,
    DROP COLUMN linked_history_id;
DELETE FROM public.loyalty_cards WHERE program_id IS NULL OR length(code) > 128;
ALTER TABLE public.loyalty_cards
    DROP COLUMN code_key, DROP COLUMN expiration_date, DROP COLUMN active, DROP COLUMN warning,
    ALTER COLUMN program_id SET NOT NULL, ALTER COLUMN points DROP DEFAULT,
    ALTER COLUMN code TYPE varchar(128);
