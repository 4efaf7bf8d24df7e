-- The two roles that cdc needs, each with no more than it uses. Each part is run once, by the role that its heading names. Give the roles
-- passwords afterwards (\password cdc_source, \password cdc_engine), and let them in from cdc's machine alone (pg_hba.conf: the source role
-- needs a line for its database; a line for "replication" is for physical replication and not needed).
-- Whether anything is missing 'cdc check' says, with the SQL that adds it.

-- == Source: in Odoo's database, as a superuser
CREATE ROLE cdc_source LOGIN REPLICATION;
-- To read chunks; LOCK TABLE ... IN ACCESS SHARE MODE needs no more than SELECT.
GRANT USAGE ON SCHEMA public TO cdc_source;
GRANT SELECT ON public.loyalty_program, public.loyalty_card, public.loyalty_point_move, public.loyalty_point_history TO cdc_source;
-- Only the owner of the tables may publish them, so the publication is made here and not by cdc. It has all operations and no filter;
-- a table that is declared later is added here too (ALTER PUBLICATION cdc_loyalty ADD TABLE ...).
CREATE PUBLICATION cdc_loyalty FOR TABLE public.loyalty_program, public.loyalty_card, public.loyalty_point_move, public.loyalty_point_history;
-- Optional: lets 'cdc status' see how old the oldest transaction of other roles is.
GRANT pg_read_all_stats TO cdc_source;

-- == Engine, first: before 'cdc migrate', as a superuser
CREATE ROLE cdc_engine LOGIN;
-- Foreign keys are enforced by Odoo; their triggers are off in the session that applies, as in PostgreSQL's own subscriptions. Needs
-- PostgreSQL 15. On older servers leave it out, and run 'cdc migrate' as a role that may not do this either: it then makes no foreign keys.
GRANT SET ON PARAMETER session_replication_role TO cdc_engine;

-- == Engine, second: after 'cdc migrate', as the role that ran it; again after a migration that adds tables
GRANT USAGE ON SCHEMA cdc, public TO cdc_engine;
GRANT SELECT ON public.cdc_migrations TO cdc_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cdc TO cdc_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.promotion_programs, public.loyalty_cards, public.point_moves, public.point_history TO cdc_engine;
-- For the staging tables of the session that applies. PostgreSQL gives it to everybody; this is for databases where it was revoked.
DO $$ BEGIN EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO cdc_engine', current_database()); END $$;

-- == Compare, source: only where source and engine are compared by a process with roles of its own; in Odoo's database, as a superuser.
-- It reads, and nothing else. cdc_source can do the same.
CREATE ROLE cdc_reconcile_source LOGIN;
GRANT USAGE ON SCHEMA public TO cdc_reconcile_source;
GRANT SELECT ON public.loyalty_program, public.loyalty_card, public.loyalty_point_move, public.loyalty_point_history TO cdc_reconcile_source;

-- == Compare, engine: after 'cdc migrate', as the role that ran it (CREATE ROLE: as a superuser). cdc_engine can do the same.
CREATE ROLE cdc_reconcile_engine LOGIN;
GRANT USAGE ON SCHEMA cdc, public TO cdc_reconcile_engine;
GRANT SELECT ON public.cdc_migrations, public.promotion_programs, public.loyalty_cards, public.point_moves, public.point_history TO cdc_reconcile_engine;
GRANT SELECT ON ALL TABLES IN SCHEMA cdc TO cdc_reconcile_engine;
-- It asks the running 'cdc run' for a point to compare at, and to read rows again, and records what it finds. Odoo's rows it changes nowhere.
GRANT INSERT, UPDATE ON cdc.fences TO cdc_reconcile_engine;
GRANT INSERT ON cdc.requests TO cdc_reconcile_engine;
GRANT INSERT, UPDATE ON cdc.reconcile_runs, cdc.reconcile_partitions, cdc.drift, cdc.reconcile_totals, cdc.reconcile_repairs TO cdc_reconcile_engine;
GRANT INSERT ON cdc.reconcile_spot_checks, cdc.reconcile_violations TO cdc_reconcile_engine;
