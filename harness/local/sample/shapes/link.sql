CREATE TABLE llx_categorie_{name} (
  fk_categorie  integer NOT NULL,
  fk_{name}     integer NOT NULL,
  import_key    varchar(14),
  PRIMARY KEY (fk_categorie, fk_{name}),
  CONSTRAINT fk_categorie_{name}_categorie
    FOREIGN KEY (fk_categorie) REFERENCES llx_categorie (rowid) DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT fk_categorie_{name}_fk_{name}
    FOREIGN KEY (fk_{name}) REFERENCES llx_{target} (rowid) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX idx_categorie_{name}_fk_categorie ON llx_categorie_{name} (fk_categorie);
CREATE INDEX idx_categorie_{name}_fk_{name} ON llx_categorie_{name} (fk_{name});
