INSERT INTO public.llx_facturedet (
    fk_facture, rang, description, qty, subprice, tva_tx, total_ht, total_tva, total_ttc
)
SELECT
    %(invoice)s, %(rank)s, %(desc)s, %(qty)s, %(subprice)s, %(tva_tx)s,
    net, round(net * tva_tx / 100, 2), net + round(net * tva_tx / 100, 2)
FROM (VALUES (
    round(%(qty)s::numeric * %(subprice)s::numeric, 2), %(tva_tx)s::numeric
)) AS money (net, tva_tx)
