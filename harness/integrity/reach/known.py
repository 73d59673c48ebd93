"""The kinds of things that the audit knows how to judge; whatever is not listed here is a finding.

Listed by the version that brought it, from the manuals of PostgreSQL 14 to 18.
"""

from __future__ import annotations

NEWEST_MAJOR = 18

PREDEFINED_ROLES: dict[str, tuple[int, str]] = {
    "pg_database_owner": (14, "is the owner of whichever database it is in"),
    "pg_read_all_data": (14, "could read every table of every database that it may connect to"),
    "pg_write_all_data": (14, "could change every table of every database that it may connect to"),
    "pg_monitor": (14, "could read what other sessions are doing, prod's statements included"),
    "pg_read_all_settings": (14, "could read every setting, connection strings included"),
    "pg_read_all_stats": (14, "could read what other sessions are doing, prod's included"),
    "pg_stat_scan_tables": (14, "could hold locks on tables for as long as a scan takes"),
    "pg_read_server_files": (14, "could read the server's files, and so every database"),
    "pg_write_server_files": (14, "could overwrite the server's files, and so every database"),
    "pg_execute_server_program": (14, "could run programs as the server's own user"),
    "pg_signal_backend": (14, "could end the sessions of prod"),
    "pg_checkpoint": (15, "could force checkpoints, which slow down prod"),
    "pg_use_reserved_connections": (16, "could take the connection slots kept free for others"),
    "pg_create_subscription": (16, "could make the server open sessions elsewhere"),
    "pg_maintain": (17, "could lock and rewrite every table of every database it may connect to"),
    "pg_signal_autovacuum_worker": (18, "could keep autovacuum from the tables of prod"),
}
"""Every predefined role: the version that brought it, and what a member could do."""

READING_ROLES = {
    "pg_database_owner",
    "pg_read_all_data",
    "pg_monitor",
    "pg_read_all_settings",
    "pg_read_all_stats",
    "pg_stat_scan_tables",
}
"""Those with which the dump's identity is still one that only reads."""

KINDS: dict[str, set[str]] = {
    "a column of grants": {
        "pg_attribute.attacl",
        "pg_class.relacl",
        "pg_database.datacl",
        "pg_default_acl.defaclacl",
        "pg_foreign_data_wrapper.fdwacl",
        "pg_foreign_server.srvacl",
        "pg_init_privs.initprivs",
        "pg_language.lanacl",
        "pg_largeobject_metadata.lomacl",
        "pg_namespace.nspacl",
        "pg_parameter_acl.paracl",
        "pg_proc.proacl",
        "pg_tablespace.spcacl",
        "pg_type.typacl",
    },
    "an owner": {
        "pg_auth_members.grantor",
        "pg_auth_members.member",
        "pg_auth_members.roleid",
        "pg_class.relowner",
        "pg_collation.collowner",
        "pg_conversion.conowner",
        "pg_database.datdba",
        "pg_db_role_setting.setrole",
        "pg_default_acl.defaclrole",
        "pg_event_trigger.evtowner",
        "pg_extension.extowner",
        "pg_foreign_data_wrapper.fdwowner",
        "pg_foreign_server.srvowner",
        "pg_language.lanowner",
        "pg_largeobject_metadata.lomowner",
        "pg_namespace.nspowner",
        "pg_opclass.opcowner",
        "pg_operator.oprowner",
        "pg_opfamily.opfowner",
        "pg_policy.polroles",
        "pg_proc.proowner",
        "pg_publication.pubowner",
        "pg_statistic_ext.stxowner",
        "pg_subscription.subowner",
        "pg_tablespace.spcowner",
        "pg_ts_config.cfgowner",
        "pg_ts_dict.dictowner",
        "pg_type.typowner",
        "pg_user_mapping.umuser",
    },
    "a relation of kind": {"r", "i", "S", "t", "v", "m", "c", "f", "p", "I"},
    "a function of kind": {"f", "p", "a", "w"},
    "default privileges of kind": {"r", "S", "f", "T", "n", "L"},
}
"""Every kind of `catalogue/kinds.sql`."""

CLASSES = {
    reference.partition(".")[0]
    for name in ("a column of grants", "an owner")
    for reference in KINDS[name]
} | {"pg_largeobject"}
"""The catalogues whose objects have an owner or grants."""

MENTIONS = {
    "o": "owner of",
    "a": "named in the grants of",
    "r": "named in a policy of",
    "i": "",
    "t": "",
}
"""How a role can be noted with an object; without words, it gives no right."""

TRUSTED_LANGUAGES = {"sql", "plpgsql_call_handler", "plperl_call_handler", "pltcl_call_handler"}
"""What runs the code of languages that stay inside the database; SQL needs no handler."""

HARMLESS_EXTENSIONS = {
    "amcheck", "autoinc", "bloom", "bool_plperl", "btree_gin", "btree_gist", "citext", "cube",
    "dict_int", "dict_xsyn", "earthdistance", "fuzzystrmatch", "hstore", "hstore_plperl",
    "file_fdw", "insert_username", "intagg", "intarray", "isn", "jsonb_plperl", "lo", "ltree",
    "moddatetime", "old_snapshot", "pageinspect", "pg_buffercache", "pg_freespacemap",
    "pg_logicalinspect", "pg_overexplain", "pg_prewarm", "pg_stat_statements", "pg_surgery",
    "pg_trgm", "pg_visibility", "pg_walinspect", "pgcrypto", "pgrowlocks", "pgstattuple", "plperl",
    "plpgsql", "pltcl", "postgres_fdw", "refint", "seg", "sslinfo", "tablefunc", "tcn",
    "timetravel", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "xml2",
}  # fmt: skip
"""Extensions of PostgreSQL itself whose functions lead nobody but a superuser out of the database.

What the two wrappers for foreign data allow hangs on servers and user mappings, each told.
"""

HARMLESS_GRANTS = {"pg_visibility"}
"""Extensions whose functions may be granted: they tell of pages of one database, not of rows."""
