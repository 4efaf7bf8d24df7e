-- What cdc has to do with of a stock Odoo 16 (loyalty, point of sale, sales), with the types that its ORM makes: int4 keys, float8 for plain
-- Float fields, jsonb for translated texts, timestamps in UTC without a time zone. 17.sql to 20.sql are what the next versions change, in
-- order, as an upgrade in place does it; 16-points.sql is an add-on on 16.
CREATE TABLE res_partner (
    id                    serial PRIMARY KEY,
    company_id            int4,
    commercial_partner_id int4,
    create_uid            int4,
    write_uid             int4,
    name                  varchar,
    mobile                varchar,
    active                bool,
    create_date           timestamp,
    write_date            timestamp
);

CREATE TABLE loyalty_program (
    id                serial PRIMARY KEY,
    sequence          int4,
    company_id        int4,
    currency_id       int4 NOT NULL,
    max_usage         int4,
    create_uid        int4,
    write_uid         int4,
    program_type      varchar NOT NULL,
    applies_on        varchar NOT NULL,
    trigger           varchar,
    date_to           date,
    name              jsonb NOT NULL,
    portal_point_name jsonb,
    active            bool,
    limit_usage       bool,
    portal_visible    bool,
    create_date       timestamp,
    write_date        timestamp
);

CREATE TABLE loyalty_reward (
    id              serial PRIMARY KEY,
    program_id      int4 NOT NULL REFERENCES loyalty_program (id) ON DELETE CASCADE,
    company_id      int4,
    write_uid       int4,
    reward_type     varchar NOT NULL,
    description     jsonb,
    active          bool,
    write_date      timestamp,
    required_points double precision
);

CREATE TABLE loyalty_card (
    id              serial PRIMARY KEY,
    program_id      int4 REFERENCES loyalty_program (id) ON DELETE RESTRICT,
    company_id      int4,
    partner_id      int4 REFERENCES res_partner (id) ON DELETE SET NULL,
    create_uid      int4,
    write_uid       int4,
    code            varchar NOT NULL CONSTRAINT loyalty_card_card_code_unique UNIQUE,
    expiration_date date,
    create_date     timestamp,
    write_date      timestamp,
    points          double precision
);
CREATE INDEX loyalty_card_partner_id_index ON loyalty_card (partner_id);
ALTER TABLE loyalty_card ADD COLUMN source_pos_order_id int4, ADD COLUMN order_id int4;

-- What an open quotation or an order takes from which card, or gives it.
CREATE TABLE sale_order_coupon_points (
    id         serial PRIMARY KEY,
    order_id   int4 NOT NULL,
    coupon_id  int4 NOT NULL REFERENCES loyalty_card (id) ON DELETE CASCADE,
    write_date timestamp,
    points     double precision NOT NULL,
    UNIQUE (order_id, coupon_id)
);

-- At which tills a program is valid: a table without an id, as all of Odoo's many-to-many ones.
CREATE TABLE loyalty_program_pos_config_rel (
    loyalty_program_id int4 NOT NULL REFERENCES loyalty_program (id) ON DELETE CASCADE,
    pos_config_id      int4 NOT NULL,
    PRIMARY KEY (loyalty_program_id, pos_config_id)
);
CREATE INDEX ON loyalty_program_pos_config_rel (pos_config_id, loyalty_program_id);

-- The orders' own ids.
CREATE SEQUENCE sale_order_id_seq AS int4;
