-- Of every Odoo from 16 on, beside 16.sql to 20.sql: companies, products, rules, and the rest of a reward.
CREATE TABLE res_company (
    id          serial PRIMARY KEY,
    sequence    int4,
    parent_id   int4 REFERENCES res_company (id) ON DELETE RESTRICT,
    partner_id  int4 NOT NULL REFERENCES res_partner (id) ON DELETE RESTRICT,
    currency_id int4 NOT NULL,
    name        varchar NOT NULL UNIQUE,
    email       varchar,
    active      bool,
    create_date timestamp,
    write_date  timestamp,
    logo_web    bytea
);

CREATE TABLE product_template (
    id               serial PRIMARY KEY,
    sequence         int4,
    categ_id         int4,
    uom_id           int4 NOT NULL,
    company_id       int4 REFERENCES res_company (id) ON DELETE SET NULL,
    type             varchar,
    default_code     varchar,
    name             jsonb NOT NULL,
    description      jsonb,
    description_sale jsonb,
    list_price       numeric,
    weight           numeric,
    sale_ok          bool,
    active           bool,
    create_date      timestamp,
    write_date       timestamp
);

CREATE TABLE product_product (
    id                  serial PRIMARY KEY,
    product_tmpl_id     int4 NOT NULL REFERENCES product_template (id) ON DELETE CASCADE,
    default_code        varchar,
    barcode             varchar,
    combination_indices varchar,
    -- From 18 on, for each company; before it is in ir_property.
    standard_price      jsonb,
    active              bool,
    create_date         timestamp,
    write_date          timestamp
);

CREATE TABLE loyalty_rule (
    id                      serial PRIMARY KEY,
    program_id              int4 NOT NULL REFERENCES loyalty_program (id) ON DELETE CASCADE,
    company_id              int4,
    minimum_qty             int4,
    product_domain          varchar,
    reward_point_mode       varchar NOT NULL,
    minimum_amount_tax_mode varchar NOT NULL,
    mode                    varchar,
    code                    varchar,
    minimum_amount          numeric,
    active                  bool,
    create_date             timestamp,
    write_date              timestamp,
    reward_point_amount     double precision CHECK (reward_point_amount > 0)
);

ALTER TABLE loyalty_reward
    ADD COLUMN discount_mode       varchar NOT NULL DEFAULT 'percent',
    ADD COLUMN reward_product_id   int4 REFERENCES product_product (id) ON DELETE SET NULL,
    ADD COLUMN reward_product_qty  int4,
    ADD COLUMN discount_max_amount numeric,
    ADD COLUMN discount            double precision;
