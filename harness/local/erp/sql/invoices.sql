-- Invoices, the newest first, each with its lines: one statement, so that all of it is of one moment.
SELECT json_build_object(
    'id', invoice.rowid, 'ref', invoice.ref, 'ref_client', invoice.ref_client,
    'socid', invoice.fk_soc, 'status', invoice.fk_statut, 'date_modification', invoice.tms,
    'total_ht', invoice.total_ht::text, 'total_tva', invoice.total_tva::text,
    'total_ttc', invoice.total_ttc::text,
    'lines', (
        SELECT coalesce(json_agg(json_build_object(
            'id', line.rowid, 'desc', line.description, 'qty', line.qty,
            'subprice', line.subprice::text, 'tva_tx', line.tva_tx::text,
            'total_ht', line.total_ht::text, 'total_tva', line.total_tva::text,
            'total_ttc', line.total_ttc::text
        ) ORDER BY line.rang, line.rowid), '[]')
        FROM public.llx_facturedet AS line
        WHERE line.fk_facture = invoice.rowid
    )
)
FROM public.llx_facture AS invoice
WHERE invoice.rowid = coalesce(%(id)s::int, invoice.rowid)
ORDER BY invoice.rowid DESC
LIMIT %(limit)s
