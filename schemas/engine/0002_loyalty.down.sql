DROP TABLE public.point_history;
DROP TABLE public.point_moves;
DROP TABLE public.loyalty_cards;
