-- 19 -> 20: a balance is the sum of history. Odoo's own migration adds a row where the two differ, and leaves the column of points in place.
ALTER TABLE loyalty_history
    ADD COLUMN expiration_date           date,
    ADD COLUMN linked_loyalty_history_id int4 REFERENCES loyalty_history (id) ON DELETE SET NULL,
    ADD COLUMN points_changed_date       timestamp;
INSERT INTO loyalty_history (card_id, description, issued, used, create_date, write_date)
SELECT c.id, 'Upgrade', greatest(c.points - coalesce(h.points, 0), 0), greatest(coalesce(h.points, 0) - c.points, 0), now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
FROM loyalty_card c
LEFT JOIN (SELECT card_id, sum(coalesce(issued, 0) - coalesce(used, 0)) AS points FROM loyalty_history GROUP BY card_id) h ON h.card_id = c.id
WHERE coalesce(c.points, 0) <> coalesce(h.points, 0);
UPDATE loyalty_history SET points_changed_date = create_date;
ALTER TABLE loyalty_history ALTER COLUMN points_changed_date SET NOT NULL;
-- A row awards or consumes.
INSERT INTO loyalty_history (card_id, order_id, order_model, description, issued, used, create_date, write_date, points_changed_date)
SELECT card_id, order_id, order_model, description, 0, used, create_date, write_date, points_changed_date FROM loyalty_history WHERE issued > 0 AND used > 0;
UPDATE loyalty_history SET issued = coalesce(issued, 0), used = CASE WHEN issued > 0 THEN 0 ELSE coalesce(used, 0) END;
ALTER TABLE loyalty_history
    ADD CONSTRAINT loyalty_history_issued_or_used CHECK (issued = 0 OR used = 0),
    ADD CONSTRAINT loyalty_history_issued_and_used_positive CHECK (issued >= 0 AND used >= 0);
CREATE INDEX loyalty_history__linked_loyalty_history_id_index ON loyalty_history (linked_loyalty_history_id);
ALTER TABLE loyalty_program ADD COLUMN expire_after int4 CHECK (expire_after >= 0);
