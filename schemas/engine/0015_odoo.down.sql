-- Version 14 has no place for some cards of a stock Odoo: they stay, and so does this version, until somebody has decided.
DO $$
DECLARE
    cards bigint;
BEGIN
    SELECT count(*) INTO cards FROM public.loyalty_cards WHERE program_id IS NULL OR length(code) > 128;
    IF cards > 0 THEN
        RAISE EXCEPTION '% cards have no program, or a code of more than 128 characters, for which version 14 has no place. Delete them first, if they may be lost: SELECT id FROM loyalty_cards WHERE program_id IS NULL OR length(code) > 128 names them.', cards;
    END IF;
    -- The sums of Odoo 20: their triggers would fail without the columns.
    IF to_regprocedure('public.cdc_card_points_keep()') IS NOT NULL THEN
        DROP FUNCTION public.cdc_card_points_keep() CASCADE;
        DROP TABLE public.card_points;
        DROP TABLE IF EXISTS public.cdc_card_points_draws, public.cdc_card_points_ends;
    END IF;
END $$;
ALTER TABLE public.promotion_programs
    DROP COLUMN applies_on, DROP COLUMN point_name, DROP COLUMN date_from, DROP COLUMN date_to, DROP COLUMN starts_at, DROP COLUMN ends_at,
    DROP COLUMN membership_product_id, DROP COLUMN expire_after;
ALTER TABLE public.point_history
    DROP COLUMN issued, DROP COLUMN used, DROP COLUMN order_model, DROP COLUMN order_id, DROP COLUMN expiration_date,
    DROP COLUMN linked_history_id;
ALTER TABLE public.loyalty_cards
    DROP COLUMN code_key, DROP COLUMN expiration_date, DROP COLUMN active, DROP COLUMN warning,
    ALTER COLUMN program_id SET NOT NULL, ALTER COLUMN points DROP DEFAULT,
    ALTER COLUMN code TYPE varchar(128);
