-- Odoo's companies (schemas/entities/companies.json).
CREATE TABLE public.odoo_companies (
    id                    bigint PRIMARY KEY,
    odoo_company_id       integer,
    name                  text,
    active                boolean,
    parent_id             bigint,
    partner_id            bigint,
    currency_id           bigint,
    source_generation     integer NOT NULL DEFAULT 0,
    source_lsn            pg_lsn NOT NULL DEFAULT '0/0',
    source_ordinal        bigint NOT NULL DEFAULT 0,
    source_commit_at      timestamptz
);
