-- An add-on on 16 that keeps each gain of points, with its own end, and a history with balances. Where its ORM fills in a text, a default
-- does it here.
CREATE TABLE loyalty_point_move (
    id                    serial PRIMARY KEY,
    loyalty_card_id       int4 NOT NULL REFERENCES loyalty_card (id) ON DELETE CASCADE,
    membership_product_id int4,
    company_id            int4,
    create_uid            int4,
    write_uid             int4,
    name                  varchar NOT NULL DEFAULT 'Points',
    origin                varchar,
    state                 varchar,
    gain_date             timestamp NOT NULL,
    expiration_date       timestamp,
    create_date           timestamp,
    write_date            timestamp,
    initial_point         double precision NOT NULL,
    remaining_point       double precision NOT NULL
);
CREATE INDEX loyalty_point_move_loyalty_card_id_index ON loyalty_point_move (loyalty_card_id);
CREATE INDEX loyalty_point_move_expiration_date_index ON loyalty_point_move (expiration_date);
CREATE TABLE loyalty_point_history (
    id                           serial PRIMARY KEY,
    loyalty_card_id              int4 NOT NULL REFERENCES loyalty_card (id) ON DELETE CASCADE,
    point_move_id                int4 REFERENCES loyalty_point_move (id) ON DELETE SET NULL,
    membership_product_id        int4,
    status_membership_product_id int4,
    company_id                   int4,
    create_uid                   int4,
    write_uid                    int4,
    name                         varchar NOT NULL DEFAULT 'Points',
    origin                       varchar,
    transaction_time             timestamp NOT NULL,
    create_date                  timestamp,
    write_date                   timestamp,
    points_amount                double precision NOT NULL,
    points_balance               double precision NOT NULL
);
CREATE INDEX loyalty_point_history_loyalty_card_id_index ON loyalty_point_history (loyalty_card_id);
CREATE INDEX loyalty_point_history_point_move_id_index ON loyalty_point_history (point_move_id);
ALTER TABLE loyalty_program
    ADD COLUMN membership_product_id int4,
    ADD COLUMN is_primary_loyalty    bool,
    ADD COLUMN date_from             timestamp,
    ALTER COLUMN date_to TYPE timestamp USING date_to::timestamp;
