-- Odoo's loyalty tables as its ORM creates them: serial int4 keys, double precision for plain Float fields, UTC timestamps without time
-- zone, varchar without length, four access columns. Required fields are enforced by the ORM only where old rows allow it, so nearly
-- every column may be NULL. The tables that Odoo's own addons bring besides (res_users, res_partner, res_company, res_currency,
-- product_product) are not here; neither are foreign keys to them.

CREATE TABLE loyalty_program (
    id                serial PRIMARY KEY,
    sequence          int4,
    company_id        int4,
    currency_id       int4,
    max_usage         int4,
    create_uid        int4,
    write_uid         int4,
    name              varchar,
    program_type      varchar,
    applies_on        varchar,
    trigger           varchar,
    portal_point_name varchar,
    date_to           date,
    active            bool,
    limit_usage       bool,
    portal_visible    bool,
    create_date       timestamp without time zone,
    write_date        timestamp without time zone
);
COMMENT ON TABLE loyalty_program IS 'Loyalty Program';
CREATE INDEX loyalty_program__company_id_index ON loyalty_program (company_id);

CREATE TABLE loyalty_card (
    id                         serial PRIMARY KEY,
    message_main_attachment_id int4,
    program_id                 int4 REFERENCES loyalty_program (id) ON DELETE RESTRICT,
    company_id                 int4,
    currency_id                int4,
    partner_id                 int4,
    create_uid                 int4,
    write_uid                  int4,
    code                       varchar,
    access_token               varchar,
    expiration_date            date,
    note                       text,
    active                     bool,
    create_date                timestamp without time zone,
    write_date                 timestamp without time zone,
    points                     double precision,
    CONSTRAINT loyalty_card_card_code_unique UNIQUE (code)
);
COMMENT ON TABLE loyalty_card IS 'Loyalty Coupon';
COMMENT ON CONSTRAINT loyalty_card_card_code_unique ON loyalty_card IS 'UNIQUE(code)';
CREATE INDEX loyalty_card__partner_id_index ON loyalty_card (partner_id);
CREATE INDEX loyalty_card__program_id_index ON loyalty_card (program_id);

CREATE TABLE loyalty_point_move (
    id                    serial PRIMARY KEY,
    loyalty_card_id       int4 REFERENCES loyalty_card (id) ON DELETE CASCADE,
    membership_product_id int4,
    company_id            int4,
    create_uid            int4,
    write_uid             int4,
    state                 varchar,
    origin                varchar,
    note                  text,
    gain_date             timestamp without time zone,
    expiration_date       timestamp without time zone,
    create_date           timestamp without time zone,
    write_date            timestamp without time zone,
    initial_point         double precision,
    remaining_point       double precision
);
COMMENT ON TABLE loyalty_point_move IS 'Loyalty Point Move';
CREATE INDEX loyalty_point_move__loyalty_card_id_index ON loyalty_point_move (loyalty_card_id);
CREATE INDEX loyalty_point_move__expiration_date_index ON loyalty_point_move (expiration_date);

CREATE TABLE loyalty_point_history (
    id                           serial PRIMARY KEY,
    loyalty_card_id              int4 REFERENCES loyalty_card (id) ON DELETE CASCADE,
    point_move_id                int4 REFERENCES loyalty_point_move (id) ON DELETE CASCADE,
    membership_product_id        int4,
    status_membership_product_id int4,
    company_id                   int4,
    create_uid                   int4,
    write_uid                    int4,
    origin                       varchar,
    note                         text,
    transaction_time             timestamp without time zone,
    create_date                  timestamp without time zone,
    write_date                   timestamp without time zone,
    points_amount                double precision,
    points_balance               double precision
);
COMMENT ON TABLE loyalty_point_history IS 'Loyalty Point History';
CREATE INDEX loyalty_point_history__loyalty_card_id_index ON loyalty_point_history (loyalty_card_id);
CREATE INDEX loyalty_point_history__point_move_id_index ON loyalty_point_history (point_move_id);
