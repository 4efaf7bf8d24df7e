DROP TABLE public.program_points_of_sale;
