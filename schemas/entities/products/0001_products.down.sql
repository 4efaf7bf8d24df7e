DROP TABLE public.odoo_products;
DROP TABLE public.odoo_product_templates;
