CREATE TABLE llx_{name}_extrafields (
  rowid       serial PRIMARY KEY,
  tms         timestamp NOT NULL DEFAULT now(),
  fk_object   integer NOT NULL,
  import_key  varchar(14)
);
CREATE UNIQUE INDEX uk_{name}_extrafields ON llx_{name}_extrafields (fk_object);
