DROP TABLE public.odoo_partners;
