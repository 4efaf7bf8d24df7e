DROP TABLE public.odoo_program_points_of_sale;
