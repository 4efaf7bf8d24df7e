-- 17 -> 18: a new column with a default is one UPDATE of every row, and no write_date moves.
ALTER TABLE loyalty_card ADD COLUMN active bool;
UPDATE loyalty_card SET active = true WHERE active IS NULL;
CREATE TABLE loyalty_history (
    id          serial PRIMARY KEY,
    card_id     int4 NOT NULL REFERENCES loyalty_card (id) ON DELETE CASCADE,
    order_id    int4,
    create_uid  int4,
    write_uid   int4,
    order_model varchar,
    description text NOT NULL,
    create_date timestamp,
    write_date  timestamp,
    issued      double precision,
    used        double precision
);
