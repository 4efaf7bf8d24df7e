-- What the presets of schemas/entities keep of stock Odoo 16 to 20, in the tables that are there. Every column may be without a value: a
-- declaration writes those that its Odoo has.
ALTER TABLE public.loyalty_cards
    -- Odoo's codes have no length. An index entry has: 512 characters of four bytes fit.
    ALTER COLUMN code TYPE varchar(512),
    -- Nothing in Odoo before 20 requires one.
    ALTER COLUMN program_id DROP NOT NULL,
    -- Of Odoo 20 they are no column.
    ALTER COLUMN points SET DEFAULT 0,
    -- The code as people may type it: trimmed, in capitals.
    ADD COLUMN code_key        varchar(512),
    ADD COLUMN expiration_date date,
    ADD COLUMN active          boolean,
    -- Why a row that was applied is worth a look, such as points-negative.
    ADD COLUMN warning         text;
CREATE INDEX loyalty_cards_code_key ON public.loyalty_cards (code_key) WHERE code_key IS NOT NULL;
CREATE INDEX loyalty_cards_warning ON public.loyalty_cards (warning) WHERE warning IS NOT NULL;

ALTER TABLE public.point_history
    ADD COLUMN issued            numeric(18,2),
    ADD COLUMN used              numeric(18,2),
    ADD COLUMN order_model       text,
    ADD COLUMN order_id          bigint,
    -- Odoo 20: the last day on which the row counts, and the award that a use draws from.
    ADD COLUMN expiration_date   date,
    ADD COLUMN linked_history_id bigint;

ALTER TABLE public.promotion_programs
    ADD COLUMN applies_on            text,
    ADD COLUMN point_name            text,
    -- First and last day, in the time zone of the company.
    ADD COLUMN date_from             date,
    ADD COLUMN date_to               date,
    -- The same as moments.
    ADD COLUMN starts_at             timestamptz,
    ADD COLUMN ends_at               timestamptz,
    ADD COLUMN membership_product_id bigint,
    -- Odoo 20: days after which points expire.
    ADD COLUMN expire_after          integer;
