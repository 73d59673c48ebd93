-- About {rows} changed rows of five tables, as a long session of ordinary work leaves them: of ten
-- rows four are new, four have other values, two are gone. Updated rows lie all over their table;
-- deleted ones lie together, as a purge of old rows deletes them.

BEGIN;
INSERT INTO public.llx_facturedet
    (fk_facture, description, qty, tva_tx, subprice, total_ht, total_tva, total_ttc, rang)
SELECT invoice.rowid, 'Line ' || number, 1, 20, 400, 400, 80, 480, 9
FROM generate_series(1, ceil({rows} * 0.2)) AS number
CROSS JOIN (SELECT max(rowid) AS rowid FROM public.llx_facture) AS invoice;
INSERT INTO public.llx_actioncomm
    (ref, entity, datep, code, datec, fk_user_author, label, percent)
SELECT 'MORE-' || number, 1, now(), 'AC_OTH_AUTO', now(), 1, 'More ordinary work', -1
FROM generate_series(1, ceil({rows} * 0.2)) AS number;
COMMIT;

BEGIN;
UPDATE public.llx_facturedet SET qty = qty + 1
WHERE rowid IN (
    SELECT (number * (SELECT max(rowid) FROM public.llx_facturedet) / ceil({rows} * 0.2))::integer
    FROM generate_series(1, ceil({rows} * 0.2)) AS number
);
UPDATE public.llx_accounting_bookkeeping SET lettering_code = 'AAA'
WHERE rowid IN (
    SELECT (number * (SELECT max(rowid) FROM public.llx_accounting_bookkeeping) / ceil({rows} * 0.2))::integer
    FROM generate_series(1, ceil({rows} * 0.2)) AS number
);
COMMIT;

BEGIN;
DELETE FROM public.llx_stock_mouvement
WHERE rowid <= ceil({rows} * 0.1);
DELETE FROM public.llx_ecm_files
WHERE rowid <= ceil({rows} * 0.1);
COMMIT;
