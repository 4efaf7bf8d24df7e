-- 18 -> 19.
CREATE INDEX loyalty_history__card_id_index ON loyalty_history (card_id);
ALTER TABLE res_partner DROP COLUMN mobile;
