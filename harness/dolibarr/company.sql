SELECT value FROM public.llx_const WHERE name = 'MAIN_INFO_SOCIETE_NOM' AND entity = 1 AND value <> ''
