CREATE TABLE llx_{name} (
  rowid          serial PRIMARY KEY,
  ref            varchar(128) NOT NULL,
  entity         integer NOT NULL DEFAULT 1,
  label          varchar(255),
  description    text,
  note_public    text,
  note_private   text,
  fk_soc         integer,
  fk_projet      integer,
  date_creation  timestamp,
  date_start     date,
  tms            timestamp NOT NULL DEFAULT now(),
  amount         numeric(24,8) DEFAULT 0,
  fk_user_creat  integer NOT NULL,
  fk_user_modif  integer,
  model_pdf      varchar(255),
  import_key     varchar(14),
  status         smallint NOT NULL DEFAULT 0,
  CONSTRAINT fk_{name}_user_creat
    FOREIGN KEY (fk_user_creat) REFERENCES llx_user (rowid) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE UNIQUE INDEX uk_{name}_ref ON llx_{name} (ref, entity);
CREATE INDEX idx_{name}_fk_soc ON llx_{name} (fk_soc);
CREATE INDEX idx_{name}_fk_user_creat ON llx_{name} (fk_user_creat);
CREATE INDEX idx_{name}_fk_projet ON llx_{name} (fk_projet);
CREATE INDEX idx_{name}_status ON llx_{name} (status, entity);
