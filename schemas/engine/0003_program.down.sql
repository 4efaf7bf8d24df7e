DROP TABLE public.promotion_programs;
