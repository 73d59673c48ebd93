-- The next number of the month, as Dolibarr's default numbering gives it.
UPDATE public.llx_facture
SET
    ref = (
        SELECT 'FA' || to_char(current_date, 'YYMM') || '-'
            || lpad((coalesce(max(substring(ref FROM '-(\d+)$')::int), 0) + 1)::text, 4, '0')
        FROM public.llx_facture
        WHERE ref LIKE 'FA' || to_char(current_date, 'YYMM') || '-%%'
    ),
    fk_statut = 1, date_valid = current_date, fk_user_valid = 1
WHERE rowid = %(id)s
