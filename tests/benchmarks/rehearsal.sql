-- What an agent makes an ERP write when it wins a customer, sells, delivers and is paid: 61 rows of
-- 12 tables, the same each time, as the application writes them, in several transactions.
-- It runs on the sample and on Dolibarr: where the two differ in a column that must have a value,
-- the row is built from all names that either knows.

BEGIN;
INSERT INTO public.llx_societe (nom, entity, client, code_client, datec, fk_user_creat, status)
VALUES ('Rehearsal Ltd', 1, 1, 'CU-REHEARSAL', now(), 1, 1);
INSERT INTO public.llx_socpeople (fk_soc, entity, lastname, firstname, datec, fk_user_creat)
VALUES
    (currval('public.llx_societe_rowid_seq'), 1, 'Roux', 'Odile', now(), 1),
    (currval('public.llx_societe_rowid_seq'), 1, 'Blanc', 'Ulysse', now(), 1);
COMMIT;

BEGIN;
UPDATE public.llx_socpeople SET phone = '+33 4 00 00 00 01'
WHERE rowid = (SELECT max(rowid) / 2 FROM public.llx_socpeople);
UPDATE public.llx_societe SET note_private = 'spoken to in a rehearsal'
WHERE rowid IN (
    SELECT rowid FROM public.llx_societe
    WHERE rowid >= (SELECT max(rowid) / 2 FROM public.llx_societe)
    ORDER BY rowid LIMIT 2
);
COMMIT;

BEGIN;
INSERT INTO public.llx_propal
SELECT made.* FROM jsonb_populate_record(NULL::public.llx_propal, jsonb_build_object(
    'rowid', nextval('public.llx_propal_rowid_seq'), 'ref', 'PR-REHEARSAL', 'entity', 1,
    'fk_soc', currval('public.llx_societe_rowid_seq'), 'tms', now(), 'status', 0, 'fk_statut', 0,
    'fk_user_creat', 1, 'fk_user_author', 1
)) AS made;
UPDATE public.llx_propal SET note_public = 'accepted'
WHERE rowid = currval('public.llx_propal_rowid_seq');
INSERT INTO public.llx_commande
SELECT made.* FROM jsonb_populate_record(NULL::public.llx_commande, jsonb_build_object(
    'rowid', nextval('public.llx_commande_rowid_seq'), 'ref', 'CO-REHEARSAL', 'entity', 1,
    'fk_soc', currval('public.llx_societe_rowid_seq'), 'tms', now(), 'status', 1, 'fk_statut', 1,
    'fk_user_creat', 1, 'fk_user_author', 1
)) AS made;
COMMIT;

-- Two invoices of four lines each, and one line of an old invoice less.
BEGIN;
INSERT INTO public.llx_facture (ref, entity, fk_soc, datec, datef, fk_user_author, fk_cond_reglement)
VALUES
    ('(PROV-REHEARSAL-1)', 1, currval('public.llx_societe_rowid_seq'), now(), current_date, 1, 1),
    ('(PROV-REHEARSAL-2)', 1, currval('public.llx_societe_rowid_seq'), now(), current_date, 1, 1);
INSERT INTO public.llx_facturedet
    (fk_facture, description, qty, tva_tx, subprice, total_ht, total_tva, total_ttc, rang)
SELECT
    currval('public.llx_facture_rowid_seq') - line / 4, E'A tab\tand a \\N', 2, 20, 400,
    800, 160, 960, 1 + line % 4
FROM generate_series(0, 7) AS line;
UPDATE public.llx_facture
SET ref = 'FA-' || rowid, total_ht = 3200, total_tva = 640, total_ttc = 3840,
    fk_statut = 1, date_valid = current_date, fk_user_valid = 1
WHERE rowid > currval('public.llx_facture_rowid_seq') - 2;
COMMIT;
BEGIN;
UPDATE public.llx_facturedet SET qty = qty + 1
WHERE rowid IN (
    SELECT rowid FROM public.llx_facturedet
    WHERE rowid >= (SELECT max(rowid) / 3 FROM public.llx_facturedet)
    ORDER BY rowid LIMIT 2
);
DELETE FROM public.llx_facturedet
WHERE rowid = (
    SELECT rowid FROM public.llx_facturedet
    WHERE rowid >= (SELECT max(rowid) / 2 FROM public.llx_facturedet)
    ORDER BY rowid LIMIT 1
);
COMMIT;

-- Paid: by three payments, for three invoices of before.
BEGIN;
INSERT INTO public.llx_paiement
    (ref, entity, datec, datep, amount, fk_paiement, fk_bank, fk_user_creat)
SELECT 'PAY-REHEARSAL-' || number, 1, now(), now(), 1280, 2, 0, 1
FROM generate_series(1, 3) AS number;
INSERT INTO public.llx_paiement_facture (fk_paiement, fk_facture, amount)
SELECT payment.rowid, invoice.rowid, 1280
FROM (
    SELECT rowid, row_number() OVER (ORDER BY rowid) AS place FROM public.llx_paiement
    WHERE rowid > currval('public.llx_paiement_rowid_seq') - 3
) AS payment
JOIN (
    SELECT rowid, row_number() OVER (ORDER BY rowid) AS place
    FROM (
        SELECT rowid FROM public.llx_facture
        WHERE rowid >= (SELECT max(rowid) / 2 FROM public.llx_facture)
        ORDER BY rowid LIMIT 3
    ) AS old
) AS invoice USING (place);
UPDATE public.llx_facture SET paye = 1, fk_statut = 2, date_closing = now(), fk_user_closing = 1
WHERE rowid IN (
    SELECT fk_facture FROM public.llx_paiement_facture
    WHERE fk_paiement > currval('public.llx_paiement_rowid_seq') - 3
);
COMMIT;

-- Delivered: out of stock, the stock of each product corrected; one wrong movement of before gone.
BEGIN;
INSERT INTO public.llx_stock_mouvement
    (datem, fk_product, fk_entrepot, value, price, type_mouvement, fk_user_author, label)
SELECT now(), product.rowid, warehouse.rowid, -1, 400, 2, 1, 'Delivered in a rehearsal'
FROM (SELECT rowid FROM public.llx_product ORDER BY rowid DESC LIMIT 8) AS product
CROSS JOIN (SELECT min(rowid) AS rowid FROM public.llx_entrepot) AS warehouse;
UPDATE public.llx_product SET pmp = pmp + 1
WHERE rowid IN (SELECT rowid FROM public.llx_product ORDER BY rowid DESC LIMIT 6);
DELETE FROM public.llx_stock_mouvement
WHERE rowid = (
    SELECT rowid FROM public.llx_stock_mouvement
    WHERE rowid >= (SELECT max(rowid) / 2 FROM public.llx_stock_mouvement)
    ORDER BY rowid LIMIT 1
);
COMMIT;

-- What the agenda remembers of all that, and what somebody tidied up there.
BEGIN;
INSERT INTO public.llx_actioncomm
    (ref, entity, datep, code, datec, fk_user_author, fk_soc, label, percent)
SELECT
    'REHEARSAL-' || number, 1, now(), 'AC_OTH_AUTO', now(), 1,
    currval('public.llx_societe_rowid_seq'), 'Event of a rehearsal', -1
FROM generate_series(1, 9) AS number;
COMMIT;
BEGIN;
UPDATE public.llx_actioncomm SET percent = 100
WHERE id IN (
    SELECT id FROM public.llx_actioncomm
    WHERE id >= (SELECT max(id) / 3 FROM public.llx_actioncomm)
    ORDER BY id LIMIT 3
);
DELETE FROM public.llx_actioncomm
WHERE id IN (
    SELECT id FROM public.llx_actioncomm
    WHERE id >= (SELECT max(id) / 2 FROM public.llx_actioncomm)
    ORDER BY id LIMIT 2
);
COMMIT;

-- A setting is saved as Dolibarr saves it: deleted, and inserted anew.
BEGIN;
DELETE FROM public.llx_const WHERE name = 'MAIN_INFO_SOCIETE_NOM' AND entity = 1;
INSERT INTO public.llx_const (name, entity, value, type, visible)
VALUES ('MAIN_INFO_SOCIETE_NOM', 1, 'Rehearsed & Sons', 'string', 1);
COMMIT;
