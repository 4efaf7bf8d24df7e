DROP TABLE public.odoo_loyalty_rewards;
DROP TABLE public.odoo_loyalty_rules;
