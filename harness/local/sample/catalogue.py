"""The tables around the core: names of modules and reference values, and the DDL that they share.

An ERP with fifty modules on has some three hundred tables, of which most are few in shape and empty
in use. So a table here is a name in a list, and its DDL comes from the shape of that list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.local.sample.resources import Rows, shape

if TYPE_CHECKING:
    from collections.abc import Iterator


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Objects made for a third party, with a reference, a status and extra fields.
OF_THIRD_PARTIES = _names("""
    adherent commande commande_fournisseur contrat delivery expedition facture_fourn
    facture_fourn_rec facture_rec fichinter fichinter_rec partnership product_customer_price
    product_fournisseur_price propal reception societe_account societe_remise supplier_proposal
    ticket
""")

# Objects of the house itself; `categorie` comes first because links refer to it.
OF_THE_HOUSE = _names("""
    categorie accounting_account accounting_fiscalyear accounting_journal accounting_system
    adherent_type asset asset_model bom_bom bookcal_availabilities bookcal_calendar bordereau_cheque
    chargesociales don ecm_directories establishment eventorganization_attendee expensereport
    holiday hrm_evaluation hrm_job hrm_skill inventory knowledgemanagement_knowledgerecord loan
    localtax mailing mrp_mo multicurrency opensurvey_sondage payment_loan payment_salary
    payment_various payment_vat pos_cash_fence prelevement_bons product_attribute product_lot
    product_price projet_task recruitment_candidature recruitment_jobposition resource salary
    stocktransfer_stocktransfer subscription takepos_floor_tables tva website
    workstation_workstation
""")

OBJECTS = OF_THE_HOUSE + OF_THIRD_PARTIES

# Lines, each with the object that they belong to.
LINES = {
    "asset_depreciation": "asset",
    "bom_bomline": "bom_bom",
    "commandedet": "commande",
    "commande_fournisseurdet": "commande_fournisseur",
    "contratdet": "contrat",
    "deliverydet": "delivery",
    "expeditiondet": "expedition",
    "expensereport_det": "expensereport",
    "facture_fourn_det": "facture_fourn",
    "facture_fourn_det_rec": "facture_fourn_rec",
    "facturedet_rec": "facture_rec",
    "fichinterdet": "fichinter",
    "fichinterdet_rec": "fichinter_rec",
    "hrm_evaluationdet": "hrm_evaluation",
    "hrm_skilldet": "hrm_skill",
    "inventorydet": "inventory",
    "loan_schedule": "loan",
    "mrp_production": "mrp_mo",
    "opensurvey_comments": "opensurvey_sondage",
    "prelevement_lignes": "prelevement_bons",
    "product_attribute_value": "product_attribute",
    "product_batch": "product_lot",
    "propaldet": "propal",
    "receptiondet_batch": "reception",
    "stocktransfer_stocktransferline": "stocktransfer_stocktransfer",
    "supplier_proposaldet": "supplier_proposal",
    "website_page": "website",
}

# What has extra fields besides the objects.
ALSO_EXTENDED = _names("""
    actioncomm bank bank_account commandedet contratdet ecm_files entrepot facturedet product projet
    propaldet societe socpeople stock_mouvement user usergroup
""")

# Categories, each with the table whose rows it sorts.
CATEGORISED = {
    "account": "bank_account",
    "contact": "socpeople",
    "fournisseur": "societe",
    "invoice": "facture",
    "knowledgemanagement": "knowledgemanagement_knowledgerecord",
    "member": "adherent",
    "order": "commande",
    "product": "product",
    "project": "projet",
    "societe": "societe",
    "supplier_order": "commande_fournisseur",
    "ticket": "ticket",
    "user": "user",
    "warehouse": "entrepot",
    "website_page": "website_page",
}

# Tables that remember what happened.
LOGS = _names("""
    actioncomm_reminder blockedlog_authority bookmark boxes comment commande_fournisseur_log
    default_values element_time events export_model holiday_logs import_model links mailing_cibles
    notify object_lang onlinesignature overwrite_trans prelevement_rejet printing user_alert
    user_clicktodial webhook_history zapier_hook
""")

# Reference values, with the codes that come installed.
DICTIONARIES = {
    "accounting_category": "",
    "accounting_report": "",
    "action_trigger": "COMPANY_CREATE COMPANY_MODIFY BILL_VALIDATE BILL_PAYED ORDER_VALIDATE",
    "asset_disposal_type": "",
    "availability": "AV_NOW AV_1W AV_2W AV_3W",
    "barcode_type": "EAN8 EAN13 UPC ISBN C39 C128",
    "chargesociales": "",
    "civility": "MME MR MLE DR MTRE",
    "currencies": "EUR USD GBP CHF JPY",
    "departements": "01 13 31 33 59 69 75 2A",
    "ecotaxe": "",
    "effectif": "EF0 EF1-5 EF6-10 EF11-50 EF51-100",
    "email_senderprofile": "",
    "email_templates": "",
    "exp_tax_cat": "",
    "exp_tax_range": "",
    "field_list": "",
    "format_cards": "",
    "forme_juridique": "SARL SAS SA EI GIE",
    "holiday_types": "LEAVE_SICK LEAVE_OTHER LEAVE_PAID",
    "hrm_department": "",
    "hrm_function": "",
    "hrm_public_holiday": "",
    "incoterms": "EXW FCA CPT DAP DDP FOB CIF",
    "input_method": "OrderByMail OrderByFax OrderByEMail OrderByPhone",
    "invoice_subtype": "",
    "lead_status": "PROSP QUAL PROPO NEGO PENDING WON LOST",
    "paper_format": "EUA3 EUA4 EUA5 USLETTER",
    "partnership_type": "",
    "price_expression": "",
    "price_global_variable": "",
    "price_global_variable_updater": "",
    "product_nature": "RAW FINISHED",
    "product_thirdparty_relation_type": "",
    "propalst": "PR_DRAFT PR_OPEN PR_SIGNED PR_NOTSIGNED PR_FAC",
    "prospectcontactlevel": "",
    "prospectlevel": "PL_NONE PL_LOW PL_MEDIUM PL_HIGH",
    "recruitment_origin": "",
    "regions": "11 24 27 28 32",
    "revenuestamp": "",
    "shipment_mode": "CATCH TRANS COLSUI LETTREMAX",
    "shipment_package_type": "",
    "socialnetworks": "",
    "stcomm": "ST_NO ST_NEVER ST_TODO ST_PEND ST_DONE",
    "stcommcontact": "",
    "ticket_category": "OTHER",
    "ticket_resolution": "SOLVED CANCELED OTHER",
    "ticket_severity": "LOW NORMAL HIGH BLOCKING",
    "ticket_type": "COM HELP ISSUE BUG PROJECT",
    "transport_mode": "MAR FER ROU AER POS",
    "tva": "0 2.1 5.5 10 20",
    "type_contact": "SALESREPFOLL BILLING CUSTOMER SHIPPING",
    "type_container": "page blogpost library",
    "type_fees": "TF_OTHER TF_TRIP TF_LUNCH",
    "type_resource": "RES_ROOMS RES_CARS",
    "typent": "TE_UNKNOWN TE_SMALL TE_MEDIUM TE_LARGE TE_ADMIN",
    "ziptown": "",
}


def statements() -> Iterator[str]:
    """The DDL of every table around the core, in an order in which each finds what it refers to."""
    for name in OBJECTS:
        yield shape("object").format(name=name)
    for name in OF_THIRD_PARTIES:
        yield shape("third_party").format(name=name)
    for name, parent in LINES.items():
        yield shape("lines").format(name=name, parent=parent)
    for name in OBJECTS + ALSO_EXTENDED:
        yield shape("extrafields").format(name=name)
    for name, target in CATEGORISED.items():
        yield shape("link").format(name=name, target=target)
    for name in LOGS:
        yield shape("log").format(name=name)
    for name in DICTIONARIES:
        yield shape("dictionary").format(name=name)


def rows() -> Iterator[Rows]:
    """A handful of rows for every third object, and the reference values that come installed."""
    for name in OBJECTS[::3]:
        yield Rows(
            f"llx_{name}",
            "rowid, ref, label, description, date_creation, tms, amount, fk_user_creat, status",
            "".join(
                f"{row}\t{name}-{row:04}\t{name.replace('_', ' ').capitalize()} {row}\t"
                f"\t2024-0{row}-1{row} 08:00:00\t2024-0{row}-1{row} 08:00:00.{row:06}\t{row}.50"
                f"\t{row}\t{row % 3}\n"
                for row in range(1, 8)
            ),
        )
    for name, codes in DICTIONARIES.items():
        if codes:
            yield Rows(
                f"llx_c_{name}",
                "rowid, code, label, position",
                "".join(
                    f"{row}\t{code}\t{code.replace('_', ' ').capitalize()}\t{row * 10}\n"
                    for row, code in enumerate(codes.split(), 1)
                ),
            )
