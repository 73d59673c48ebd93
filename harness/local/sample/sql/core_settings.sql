-- Core tables, first part: settings, users and rights, reference values, what leads outside.
-- Secondary indexes and foreign keys are in core_keys.sql: they are built after the rows are in.

CREATE TABLE llx_const (
  rowid    serial PRIMARY KEY,
  name     varchar(180) NOT NULL,
  entity   integer NOT NULL DEFAULT 1,
  value    text NOT NULL,
  type     varchar(64) DEFAULT 'string',
  visible  smallint NOT NULL DEFAULT 1,
  note     text,
  tms      timestamp NOT NULL DEFAULT now()
);

CREATE TABLE llx_user (
  rowid                      serial PRIMARY KEY,
  entity                     integer NOT NULL DEFAULT 1,
  ref_employee               varchar(50),
  admin                      smallint DEFAULT 0,
  employee                   smallint DEFAULT 1,
  datec                      timestamp,
  tms                        timestamp NOT NULL DEFAULT now(),
  fk_user_creat              integer,
  fk_user_modif              integer,
  login                      varchar(50) NOT NULL,
  pass_encoding              varchar(24),
  pass                       varchar(128),
  pass_crypted               varchar(128),
  pass_temp                  varchar(128),
  api_key                    varchar(128),
  gender                     varchar(10),
  civility                   varchar(6),
  lastname                   varchar(50),
  firstname                  varchar(50),
  address                    varchar(255),
  zip                        varchar(25),
  town                       varchar(50),
  fk_state                   integer DEFAULT 0,
  fk_country                 integer DEFAULT 0,
  birth                      date,
  job                        varchar(128),
  office_phone               varchar(30),
  user_mobile                varchar(30),
  email                      varchar(255),
  signature                  text,
  socialnetworks             text,
  fk_soc                     integer,
  fk_socpeople               integer,
  fk_member                  integer,
  fk_user                    integer,
  note_public                text,
  note_private               text,
  datelastlogin              timestamp,
  datepreviouslogin          timestamp,
  datelastpassvalidation     timestamp,
  datestartvalidity          timestamp,
  dateendvalidity            timestamp,
  flagdelsessionsbefore      timestamp,
  iplastlogin                varchar(250),
  ippreviouslogin            varchar(250),
  openid                     varchar(255),
  statut                     smallint DEFAULT 1,
  photo                      varchar(255),
  lang                       varchar(6),
  color                      varchar(6),
  thm                        numeric(24,8),
  tjm                        numeric(24,8),
  salary                     numeric(24,8),
  dateemployment             date,
  weeklyhours                numeric(16,8),
  import_key                 varchar(14),
  fk_warehouse               integer
);

CREATE TABLE llx_usergroup (
  rowid      serial PRIMARY KEY,
  nom        varchar(180) NOT NULL,
  entity     integer NOT NULL DEFAULT 1,
  datec      timestamp,
  tms        timestamp NOT NULL DEFAULT now(),
  color      varchar(6),
  note       text,
  model_pdf  varchar(255) DEFAULT NULL
);

CREATE TABLE llx_usergroup_user (
  rowid         serial PRIMARY KEY,
  entity        integer NOT NULL DEFAULT 1,
  fk_user       integer NOT NULL,
  fk_usergroup  integer NOT NULL
);

CREATE TABLE llx_rights_def (
  id               integer NOT NULL,
  entity           integer NOT NULL DEFAULT 1,
  libelle          varchar(255),
  module           varchar(64),
  module_origin    varchar(64),
  module_position  integer NOT NULL DEFAULT 0,
  family           varchar(64),
  family_position  integer NOT NULL DEFAULT 0,
  perms            varchar(50),
  subperms         varchar(50),
  type             varchar(1),
  bydefault        smallint DEFAULT 0,
  enabled          text,
  PRIMARY KEY (id, entity)
);

CREATE TABLE llx_user_rights (
  rowid    serial PRIMARY KEY,
  entity   integer NOT NULL DEFAULT 1,
  fk_user  integer NOT NULL,
  fk_id    integer NOT NULL
);

-- The next three have no primary key, as in the ERP itself.
CREATE TABLE llx_user_param (
  fk_user  integer NOT NULL,
  entity   integer NOT NULL DEFAULT 1,
  param    varchar(180) NOT NULL,
  value    text NOT NULL
);

CREATE TABLE llx_holiday_users (
  fk_user     integer NOT NULL,
  fk_type     integer NOT NULL,
  nb_holiday  real NOT NULL DEFAULT 0
);

CREATE TABLE llx_category_bankline (
  lineid      integer NOT NULL,
  fk_categ    integer NOT NULL,
  import_key  varchar(14)
);

CREATE TABLE llx_c_country (
  rowid         integer PRIMARY KEY,
  code          varchar(2) NOT NULL,
  code_iso      varchar(3),
  numeric_code  varchar(3),
  label         varchar(128) NOT NULL,
  eec           smallint NOT NULL DEFAULT 0,
  sepa          smallint NOT NULL DEFAULT 0,
  active        smallint NOT NULL DEFAULT 1,
  favorite      smallint NOT NULL DEFAULT 0
);

CREATE TABLE llx_c_actioncomm (
  id        integer PRIMARY KEY,
  code      varchar(50) NOT NULL,
  type      varchar(50) NOT NULL DEFAULT 'system',
  libelle   varchar(128) NOT NULL,
  module    varchar(50) DEFAULT NULL,
  active    smallint NOT NULL DEFAULT 1,
  todo      smallint,
  color     varchar(9),
  picto     varchar(48),
  position  integer NOT NULL DEFAULT 0
);

CREATE TABLE llx_c_paiement (
  id                serial PRIMARY KEY,
  entity            integer NOT NULL DEFAULT 1,
  code              varchar(6) NOT NULL,
  libelle           varchar(128),
  type              smallint,
  active            smallint NOT NULL DEFAULT 1,
  accountancy_code  varchar(32),
  module            varchar(32),
  position          integer NOT NULL DEFAULT 0
);

CREATE TABLE llx_c_input_reason (
  rowid   serial PRIMARY KEY,
  code    varchar(30),
  label   varchar(128),
  active  smallint NOT NULL DEFAULT 1,
  module  varchar(32)
);

CREATE TABLE llx_c_payment_term (
  rowid            serial PRIMARY KEY,
  entity           integer NOT NULL DEFAULT 1,
  code             varchar(16),
  sortorder        smallint,
  active           smallint DEFAULT 1,
  libelle          varchar(255),
  libelle_facture  text,
  type_cdr         smallint,
  nbjour           smallint,
  decalage         smallint,
  deposit_percent  varchar(63) DEFAULT NULL,
  module           varchar(32),
  position         integer NOT NULL DEFAULT 0
);

CREATE TABLE llx_c_units (
  rowid        serial PRIMARY KEY,
  code         varchar(3),
  sortorder    smallint,
  scale        integer,
  label        varchar(128),
  short_label  varchar(5),
  unit_type    varchar(10),
  active       smallint NOT NULL DEFAULT 1
);

CREATE TABLE llx_multicurrency_rate (
  rowid             serial PRIMARY KEY,
  date_sync         timestamp,
  rate              double precision NOT NULL DEFAULT 0,
  rate_indirect     real DEFAULT 0,
  fk_multicurrency  integer NOT NULL,
  entity            integer DEFAULT 1
);

CREATE TABLE llx_cronjob (
  rowid           serial PRIMARY KEY,
  tms             timestamp NOT NULL DEFAULT now(),
  datec           timestamp,
  jobtype         varchar(10) NOT NULL,
  label           varchar(255) NOT NULL,
  command         varchar(255),
  classesname     varchar(255),
  objectname      varchar(255),
  methodename     varchar(255),
  params          text,
  module_name     varchar(255),
  priority        integer DEFAULT 0,
  datelastrun     timestamp,
  datenextrun     timestamp,
  lastresult      text,
  lastoutput      text,
  unitfrequency   varchar(255) NOT NULL DEFAULT '3600',
  frequency       integer NOT NULL DEFAULT 0,
  maxrun          integer NOT NULL DEFAULT 0,
  nbrun           integer,
  status          integer NOT NULL DEFAULT 1,
  processing      integer NOT NULL DEFAULT 0,
  test            varchar(255) DEFAULT '1',
  fk_user_author  integer,
  email_alert     varchar(128),
  entity          integer DEFAULT 0
);

CREATE TABLE llx_emailcollector_emailcollector (
  rowid             serial PRIMARY KEY,
  entity            integer NOT NULL DEFAULT 1,
  ref               varchar(128) NOT NULL,
  label             varchar(255),
  description       text,
  host              varchar(255),
  port              varchar(10) DEFAULT '993',
  login             varchar(128),
  password          varchar(128),
  source_directory  varchar(255) NOT NULL DEFAULT 'Inbox',
  date_creation     timestamp,
  tms               timestamp NOT NULL DEFAULT now(),
  fk_user_creat     integer NOT NULL,
  fk_user_modif     integer,
  status            integer NOT NULL
);

CREATE TABLE llx_webhook_target (
  rowid              serial PRIMARY KEY,
  entity             integer NOT NULL DEFAULT 1,
  ref                varchar(128) NOT NULL,
  label              varchar(255),
  type               integer NOT NULL DEFAULT 0,
  date_creation      timestamp,
  tms                timestamp NOT NULL DEFAULT now(),
  fk_user_creat      integer NOT NULL,
  fk_user_modif      integer,
  status             integer NOT NULL DEFAULT 0,
  url                varchar(255) NOT NULL,
  connection_method  varchar(255),
  connection_data    varchar(255),
  trigger_codes      text
);

CREATE TABLE llx_oauth_token (
  rowid        serial PRIMARY KEY,
  service      varchar(36),
  token        text,
  tokenstring  text,
  expire_at    timestamp,
  state        text,
  fk_soc       integer,
  fk_user      integer,
  datec        timestamp,
  tms          timestamp NOT NULL DEFAULT now(),
  entity       integer DEFAULT 1
);

CREATE TABLE llx_notify_def (
  rowid       serial PRIMARY KEY,
  entity      integer DEFAULT 1,
  tms         timestamp NOT NULL DEFAULT now(),
  datec       date,
  fk_action   integer NOT NULL,
  fk_soc      integer,
  fk_contact  integer,
  fk_user     integer,
  email       varchar(255),
  threshold   numeric(24,8),
  type        varchar(16) DEFAULT 'email'
);
