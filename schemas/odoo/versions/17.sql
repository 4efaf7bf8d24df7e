-- 16 -> 17.
ALTER TABLE loyalty_program ADD COLUMN date_from date;
