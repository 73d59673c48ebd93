CREATE TABLE llx_c_{name} (
  rowid     serial PRIMARY KEY,
  entity    integer NOT NULL DEFAULT 1,
  code      varchar(50) NOT NULL,
  label     varchar(128) NOT NULL,
  active    smallint NOT NULL DEFAULT 1,
  position  integer NOT NULL DEFAULT 0,
  module    varchar(32)
);
CREATE UNIQUE INDEX uk_c_{name} ON llx_c_{name} (code, entity);
