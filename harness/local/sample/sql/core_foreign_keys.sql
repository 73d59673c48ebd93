-- Foreign keys of the core tables, checked once the rows are in. All of them can be deferred, none
-- is unless a transaction asks for it. An invoice may have another invoice as its source.

ALTER TABLE llx_usergroup_user ADD CONSTRAINT fk_usergroup_user_fk_user
  FOREIGN KEY (fk_user)
  REFERENCES llx_user (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_usergroup_user ADD CONSTRAINT fk_usergroup_user_fk_usergroup
  FOREIGN KEY (fk_usergroup)
  REFERENCES llx_usergroup (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_user_rights ADD CONSTRAINT fk_user_rights_fk_user
  FOREIGN KEY (fk_user)
  REFERENCES llx_user (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_societe_rib ADD CONSTRAINT fk_societe_rib_fk_soc
  FOREIGN KEY (fk_soc)
  REFERENCES llx_societe (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_socpeople ADD CONSTRAINT fk_socpeople_fk_soc
  FOREIGN KEY (fk_soc)
  REFERENCES llx_societe (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_socpeople ADD CONSTRAINT fk_socpeople_fk_user_creat
  FOREIGN KEY (fk_user_creat)
  REFERENCES llx_user (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_projet ADD CONSTRAINT fk_projet_fk_soc
  FOREIGN KEY (fk_soc)
  REFERENCES llx_societe (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_product ADD CONSTRAINT fk_product_fk_country
  FOREIGN KEY (fk_country)
  REFERENCES llx_c_country (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_product ADD CONSTRAINT fk_product_fk_unit
  FOREIGN KEY (fk_unit)
  REFERENCES llx_c_units (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_stock_mouvement ADD CONSTRAINT fk_stock_mouvement_fk_entrepot
  FOREIGN KEY (fk_entrepot)
  REFERENCES llx_entrepot (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_facture ADD CONSTRAINT fk_facture_fk_soc
  FOREIGN KEY (fk_soc)
  REFERENCES llx_societe (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_facture ADD CONSTRAINT fk_facture_fk_user_author
  FOREIGN KEY (fk_user_author)
  REFERENCES llx_user (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_facture ADD CONSTRAINT fk_facture_fk_user_valid
  FOREIGN KEY (fk_user_valid)
  REFERENCES llx_user (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_facture ADD CONSTRAINT fk_facture_fk_facture_source
  FOREIGN KEY (fk_facture_source)
  REFERENCES llx_facture (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_facture ADD CONSTRAINT fk_facture_fk_projet
  FOREIGN KEY (fk_projet)
  REFERENCES llx_projet (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_facture ADD CONSTRAINT fk_facture_fk_input_reason
  FOREIGN KEY (fk_input_reason)
  REFERENCES llx_c_input_reason (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_facturedet ADD CONSTRAINT fk_facturedet_fk_facture
  FOREIGN KEY (fk_facture)
  REFERENCES llx_facture (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_facturedet ADD CONSTRAINT fk_facturedet_fk_unit
  FOREIGN KEY (fk_unit)
  REFERENCES llx_c_units (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_paiement_facture ADD CONSTRAINT fk_paiement_facture_fk_paiement
  FOREIGN KEY (fk_paiement)
  REFERENCES llx_paiement (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_paiement_facture ADD CONSTRAINT fk_paiement_facture_fk_facture
  FOREIGN KEY (fk_facture)
  REFERENCES llx_facture (rowid) DEFERRABLE INITIALLY IMMEDIATE;

ALTER TABLE llx_entrepot ADD CONSTRAINT fk_entrepot_fk_user_author
  FOREIGN KEY (fk_user_author)
  REFERENCES llx_user (rowid) DEFERRABLE INITIALLY IMMEDIATE;
