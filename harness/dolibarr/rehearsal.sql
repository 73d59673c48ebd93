-- What Dolibarr writes when somebody creates a third party, invoices it with two lines, validates
-- the invoice and books its payment. One transaction; the last statement tells the numbers given.
INSERT INTO public.llx_societe (nom, entity, client, code_client, datec, fk_user_creat, status)
VALUES ('Rehearsal Ltd', 1, 1, 'CU-REHEARSAL', now(), 1, 1);

UPDATE public.llx_societe
SET note_private = 'made in a rehearsal'
WHERE rowid = currval('public.llx_societe_rowid_seq');

INSERT INTO public.llx_facture (ref, entity, fk_soc, datec, datef, fk_user_author, fk_cond_reglement)
VALUES (
    '(PROV' || (SELECT last_value + 1 FROM public.llx_facture_rowid_seq) || ')',
    1, currval('public.llx_societe_rowid_seq'), now(), current_date, 1, 1
);

INSERT INTO public.llx_facturedet (fk_facture, description, qty, tva_tx, subprice, total_ht, total_tva, total_ttc, rang)
VALUES
    (currval('public.llx_facture_rowid_seq'), 'Two days of work', 2, 20, 400, 800, 160, 960, 1),
    (currval('public.llx_facture_rowid_seq'), E'A tab\tand a \\N', 1, 20, 50, 50, 10, 60, 2);

-- Validate: the next number of the month, as Dolibarr's default numbering gives it.
UPDATE public.llx_facture
SET
    ref = (
        SELECT 'FA' || to_char(current_date, 'YYMM') || '-'
            || lpad((coalesce(max(substring(ref FROM '-(\d+)$')::int), 0) + 1)::text, 4, '0')
        FROM public.llx_facture
        WHERE ref LIKE 'FA' || to_char(current_date, 'YYMM') || '-%'
    ),
    total_ht = 850, total_tva = 170, total_ttc = 1020,
    fk_statut = 1, date_valid = current_date, fk_user_valid = 1
WHERE rowid = currval('public.llx_facture_rowid_seq');

INSERT INTO public.llx_bank (datec, datev, dateo, amount, label, fk_account, fk_user_author, fk_type)
SELECT now(), current_date, current_date, 1020, '(CustomerInvoicePayment)', min(rowid), 1, 'VIR'
FROM public.llx_bank_account;

INSERT INTO public.llx_paiement (ref, entity, datec, datep, amount, fk_paiement, fk_bank, fk_user_creat)
VALUES ('PAY-REHEARSAL', 1, now(), now(), 1020, 2, currval('public.llx_bank_rowid_seq'), 1);

INSERT INTO public.llx_paiement_facture (fk_paiement, fk_facture, amount)
VALUES (currval('public.llx_paiement_rowid_seq'), currval('public.llx_facture_rowid_seq'), 1020);

INSERT INTO public.llx_bank_url (fk_bank, url_id, url, label, type)
VALUES
    (currval('public.llx_bank_rowid_seq'), currval('public.llx_paiement_rowid_seq'), '/compta/paiement/card.php?id=', '(paiement)', 'payment'),
    (currval('public.llx_bank_rowid_seq'), currval('public.llx_societe_rowid_seq'), '/comm/card.php?socid=', 'Rehearsal Ltd', 'company');

UPDATE public.llx_facture
SET paye = 1, fk_statut = 2, date_closing = now(), fk_user_closing = 1
WHERE rowid = currval('public.llx_facture_rowid_seq');

INSERT INTO public.llx_actioncomm (ref, entity, datep, code, datec, fk_user_author, fk_soc, label, percent)
VALUES (
    (SELECT (last_value + 1)::text FROM public.llx_actioncomm_id_seq),
    1, now(), 'AC_BILL_PAYED', now(), 1, currval('public.llx_societe_rowid_seq'), 'Invoice paid', -1
);

INSERT INTO public.llx_actioncomm_resources (fk_actioncomm, element_type, fk_element)
VALUES (currval('public.llx_actioncomm_id_seq'), 'user', 1);

SELECT
    currval('public.llx_societe_rowid_seq') AS third_party,
    currval('public.llx_facture_rowid_seq') AS invoice,
    (SELECT ref FROM public.llx_facture WHERE rowid = currval('public.llx_facture_rowid_seq')) AS invoice_ref,
    currval('public.llx_paiement_rowid_seq') AS payment
