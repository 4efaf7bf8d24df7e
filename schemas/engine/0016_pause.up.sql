-- Which Odoo it is that is followed, and until when it is let go of.
ALTER TABLE cdc.source
    -- database.uuid of Odoo's parameters, which a copy has another one of; NULL: not known.
    ADD COLUMN database_uuid text,
    -- 'cdc pause': no session at the source before this moment.
    ADD COLUMN paused_until  timestamptz,
    ADD COLUMN paused_at     timestamptz,
    ADD COLUMN paused_by     text;
