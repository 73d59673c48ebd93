INSERT INTO public.llx_actioncomm (ref, entity, datep, code, datec, fk_user_author, label, percent)
VALUES (
    (SELECT (last_value + 1)::text FROM public.llx_actioncomm_id_seq),
    1, now(), 'AC_OTH_AUTO', now(), 1, 'Ordinary work', -1
)
RETURNING id
