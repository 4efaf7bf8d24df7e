-- Odoo's contacts (schemas/entities/contacts.json). A preset's own tables are made where it is included, and nowhere else.
CREATE TABLE public.odoo_partners (
    id                    bigint PRIMARY KEY,
    odoo_partner_id       integer,
    name                  text,
    active                boolean,
    company_id            bigint,
    commercial_partner_id bigint,
    source_generation     integer NOT NULL DEFAULT 0,
    source_lsn            pg_lsn NOT NULL DEFAULT '0/0',
    source_ordinal        bigint NOT NULL DEFAULT 0,
    source_commit_at      timestamptz
);
