DROP TABLE public.odoo_companies;
