-- The totals from the lines, and the draft's own number.
UPDATE public.llx_facture AS invoice
SET
    ref = '(PROV' || invoice.rowid || ')',
    total_ht = lines.net, total_tva = lines.tax, total_ttc = lines.gross
FROM (
    SELECT
        coalesce(sum(total_ht), 0) AS net, coalesce(sum(total_tva), 0) AS tax,
        coalesce(sum(total_ttc), 0) AS gross
    FROM public.llx_facturedet
    WHERE fk_facture = %(id)s
) AS lines
WHERE invoice.rowid = %(id)s
