CREATE TABLE llx_{name} (
  rowid       serial PRIMARY KEY,
  entity      integer NOT NULL DEFAULT 1,
  datec       timestamp,
  tms         timestamp NOT NULL DEFAULT now(),
  fk_user     integer,
  fk_element  integer,
  elementtype varchar(64),
  value       text,
  duration    real,
  CONSTRAINT fk_{name}_fk_user
    FOREIGN KEY (fk_user) REFERENCES llx_user (rowid) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX idx_{name}_element ON llx_{name} (elementtype, fk_element);
CREATE INDEX idx_{name}_fk_user ON llx_{name} (fk_user);
