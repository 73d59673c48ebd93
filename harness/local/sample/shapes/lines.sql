CREATE TABLE llx_{name} (
  rowid        serial PRIMARY KEY,
  fk_{parent}  integer NOT NULL,
  fk_product   integer,
  label        varchar(255) DEFAULT NULL,
  description  text,
  qty          real,
  subprice     numeric(24,8) DEFAULT 0,
  tva_tx       numeric(7,4),
  total_ht     numeric(24,8) DEFAULT 0,
  fk_unit      integer,
  rang         integer DEFAULT 0,
  import_key   varchar(14),
  CONSTRAINT fk_{name}_fk_{parent}
    FOREIGN KEY (fk_{parent}) REFERENCES llx_{parent} (rowid) DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT fk_{name}_fk_unit
    FOREIGN KEY (fk_unit) REFERENCES llx_c_units (rowid) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX idx_{name}_fk_{parent} ON llx_{name} (fk_{parent}, rang);
CREATE INDEX idx_{name}_fk_product ON llx_{name} (fk_product);
