-- At which tills a program is valid (schemas/entities/points-of-sale.json). Its id is the number of Odoo's two columns.
CREATE TABLE IF NOT EXISTS public.odoo_program_points_of_sale (
    id                bigint PRIMARY KEY,
    program_id        bigint NOT NULL,
    pos_config_id     bigint NOT NULL,
    source_generation integer NOT NULL DEFAULT 0,
    source_lsn        pg_lsn NOT NULL DEFAULT '0/0',
    source_ordinal    bigint NOT NULL DEFAULT 0,
    source_commit_at  timestamptz
);
CREATE INDEX IF NOT EXISTS odoo_program_points_of_sale_program ON public.odoo_program_points_of_sale (program_id, pos_config_id);
CREATE INDEX IF NOT EXISTS odoo_program_points_of_sale_pos ON public.odoo_program_points_of_sale (pos_config_id);
