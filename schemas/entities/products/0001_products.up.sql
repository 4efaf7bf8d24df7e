-- Odoo's products (schemas/entities/products.json): what they have in common, and each variant.
CREATE TABLE public.odoo_product_templates (
    id                    bigint PRIMARY KEY,
    odoo_template_id      integer,
    name                  text,
    active                boolean,
    product_type          text,
    default_code          text,
    list_price            numeric,
    company_id            bigint,
    category_id           bigint,
    source_generation     integer NOT NULL DEFAULT 0,
    source_lsn            pg_lsn NOT NULL DEFAULT '0/0',
    source_ordinal        bigint NOT NULL DEFAULT 0,
    source_commit_at      timestamptz
);
CREATE TABLE public.odoo_products (
    id                    bigint PRIMARY KEY,
    odoo_product_id       integer,
    template_id           bigint,
    active                boolean,
    default_code          text,
    barcode               text,
    source_generation     integer NOT NULL DEFAULT 0,
    source_lsn            pg_lsn NOT NULL DEFAULT '0/0',
    source_ordinal        bigint NOT NULL DEFAULT 0,
    source_commit_at      timestamptz
);
