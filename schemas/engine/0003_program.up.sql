CREATE SEQUENCE public.promotion_programs_id_seq AS bigint MINVALUE 4294967296 START 4294967296;
CREATE TABLE public.promotion_programs (
    id                 bigint PRIMARY KEY DEFAULT nextval('public.promotion_programs_id_seq'),
    odoo_program_id    integer,
    name               text,
    active             boolean,
    company_id         bigint,
    program_type       text,
    source_generation  integer NOT NULL DEFAULT 0,
    source_lsn         pg_lsn NOT NULL DEFAULT '0/0',
    source_ordinal     bigint NOT NULL DEFAULT 0,
    source_commit_at   timestamptz,
    CONSTRAINT promotion_programs_odoo_id CHECK (id >= 4294967296 OR (odoo_program_id IS NOT NULL AND odoo_program_id = id))
);
ALTER SEQUENCE public.promotion_programs_id_seq OWNED BY public.promotion_programs.id;
CREATE UNIQUE INDEX promotion_programs_odoo_program_id ON public.promotion_programs (odoo_program_id) WHERE id >= 4294967296;
