-- Rules and rewards of Odoo's programs (schemas/entities/rewards.json).
CREATE TABLE public.odoo_loyalty_rules (
    id                    bigint PRIMARY KEY,
    odoo_rule_id          integer,
    program_id            bigint,
    active                boolean,
    mode                  text,
    code                  text,
    reward_point_mode     text,
    reward_point_amount   numeric,
    minimum_quantity      integer,
    minimum_amount        numeric,
    source_generation     integer NOT NULL DEFAULT 0,
    source_lsn            pg_lsn NOT NULL DEFAULT '0/0',
    source_ordinal        bigint NOT NULL DEFAULT 0,
    source_commit_at      timestamptz
);
CREATE TABLE public.odoo_loyalty_rewards (
    id                    bigint PRIMARY KEY,
    odoo_reward_id        integer,
    program_id            bigint,
    active                boolean,
    description           text,
    reward_type           text,
    discount_mode         text,
    discount              numeric,
    discount_max_amount   numeric,
    required_points       numeric,
    reward_product_id     bigint,
    reward_product_quantity integer,
    source_generation     integer NOT NULL DEFAULT 0,
    source_lsn            pg_lsn NOT NULL DEFAULT '0/0',
    source_ordinal        bigint NOT NULL DEFAULT 0,
    source_commit_at      timestamptz
);
