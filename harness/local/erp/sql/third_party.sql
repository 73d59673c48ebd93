SELECT json_build_object(
    'id', rowid, 'name', nom, 'code_client', code_client, 'note_private', note_private,
    'date_modification', tms
)
FROM public.llx_societe
WHERE rowid = %(id)s
