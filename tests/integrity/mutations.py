"""Bad grants and attributes, one each: what plants it, what removes it, and what the audit says.

The statements are run by a superuser, each by itself, in the database named. In them and in what
is expected these names are filled in:

    {prod} {sandbox}        the two databases
    {prod_owner} {owner}    their owner roles
    {harness} {app}         the sandbox's two leased logins
    {dump} {prod_app}       prod's
    {provisioner} {pooler}  the superuser that leases logins, and PgBouncer's own login
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One thing that is wrong.

    Args:
        name: What it is, in one phrase.
        group: The group of the fifteen that the audit has to find it in.
        expected: A regular expression that the steps of one finding's chain match, joined by ` → `.
        plant: The statements that plant it.
        remove: The statements that take it away again, also where the audit's own have been run.
        where: The database in which they are run.
        since: The oldest version that knows such a thing.
        attack: The attempt that succeeds with it; None where none does by this alone, as without
            CONNECT to prod, or where whoever could is no identity of the sandbox.
        no_statement: The audit can name no statement that closes it.
    """

    name: str
    group: int
    expected: str
    plant: tuple[str, ...]
    remove: tuple[str, ...]
    where: str = "{prod}"
    since: int = 14
    attack: str | None = None
    no_statement: bool = False


def _granted(
    name: str,
    group: int,
    right: str,
    expected: str,
    to: str = "{owner}",
    **others: object,
) -> Mutation:
    """Something granted ON an object, which REVOKE takes away."""
    plain = right.removesuffix(" WITH GRANT OPTION")
    option = right[len(plain) :]
    return Mutation(
        name,
        group,
        expected,
        plant=(f"GRANT {plain} TO {to}{option}",),
        remove=(f"REVOKE {plain} FROM {to}",),
        **others,  # type: ignore[arg-type]
    )


def _attribute(attribute: str, role: str, expected: str, attack: str | None = None) -> Mutation:
    return Mutation(
        f"{role.strip('{}')} is {attribute}",
        3,
        expected,
        plant=(f"ALTER ROLE {role} {attribute}",),
        remove=(f"ALTER ROLE {role} NO{attribute}",),
        attack=attack,
    )


def _predefined(role: str, since: int = 14, attack: str | None = None) -> Mutation:
    return Mutation(
        f"member of {role}",
        4,
        f"^{{owner}} → member of {role}$",
        plant=(f"GRANT {role} TO {{owner}}",),
        remove=(f"REVOKE {role} FROM {{owner}}",),
        since=since,
        attack=attack,
    )


def _owner(kind: str, name: str, group: int = 1) -> Mutation:
    return Mutation(
        f"a {kind} of prod belongs to the sandbox",
        group,
        f"^{{owner}} → owner of {kind} {re.escape(name)} in {{prod}}$",
        plant=(f"ALTER {kind.upper()} {name} OWNER TO {{owner}}",),
        remove=(f"ALTER {kind.upper()} {name} OWNER TO {{prod_owner}}",),
    )


_UNSAFE = "→ function public.user_lookup\\(text\\) in {where}, which runs as {provisioner}: "

OWNERSHIP = (
    Mutation(
        "prod's database belongs to the sandbox",
        1,
        "^{owner} → owner of database {prod}$",
        plant=("ALTER DATABASE {prod} OWNER TO {owner}",),
        remove=("ALTER DATABASE {prod} OWNER TO {prod_owner}",),
        attack="drop prod",
    ),
    Mutation(
        "another database belongs to the sandbox",
        1,
        "^{owner} → owner of database postgres$",
        plant=("ALTER DATABASE postgres OWNER TO {owner}",),
        remove=("ALTER DATABASE postgres OWNER TO CURRENT_USER",),
    ),
    Mutation(
        "the sandbox's database belongs to prod's owner",
        1,
        "^{prod_owner} → owner of database {prod}$",
        plant=(
            "ALTER DATABASE {sandbox} OWNER TO {prod_owner}",
            "GRANT CONNECT ON DATABASE {sandbox} TO {owner}",
        ),
        remove=(
            "REVOKE CONNECT ON DATABASE {sandbox} FROM {owner}",
            "ALTER DATABASE {sandbox} OWNER TO {owner}",
        ),
        no_statement=True,
    ),
    Mutation(
        "schema public of prod belongs to the sandbox",
        1,
        "^{owner} → owner of schema public in {prod}$",
        plant=("ALTER SCHEMA public OWNER TO {owner}",),
        remove=("ALTER SCHEMA public OWNER TO pg_database_owner",),
    ),
    Mutation(
        "a table in the database postgres belongs to the sandbox",
        1,
        "^{owner} → owner of table public.planted in postgres$",
        plant=("CREATE TABLE public.planted ()", "ALTER TABLE public.planted OWNER TO {owner}"),
        remove=("DROP TABLE public.planted",),
        where="postgres",
    ),
    Mutation(
        "a table in a database that nobody may enter belongs to the sandbox",
        1,
        "^{owner} → owner of entries of pg_class in database template1$",
        plant=(
            "CREATE TABLE public.planted ()",
            "ALTER TABLE public.planted OWNER TO {owner}",
            "REVOKE CONNECT ON DATABASE template1 FROM PUBLIC",
        ),
        remove=(
            "DROP TABLE IF EXISTS public.planted",
            "GRANT CONNECT ON DATABASE template1 TO PUBLIC",
        ),
        where="template1",
    ),
    _owner("table", "public.llx_7"),
    _owner("view", "public.llx_names"),
    _owner("type", "public.llx_kind"),
    _owner("function", "public.llx_count()", group=9),
    _owner("large object", "424242"),
    Mutation(
        "a publication of prod belongs to a leased login",
        10,
        "^{app} → owner of publication planted in {prod}$",
        plant=("CREATE PUBLICATION planted", "ALTER PUBLICATION planted OWNER TO {app}"),
        remove=("DROP PUBLICATION planted",),
    ),
    Mutation(
        "a tablespace belongs to the sandbox",
        13,
        "^{owner} → owner of tablespace pg_default$",
        plant=("ALTER TABLESPACE pg_default OWNER TO {owner}",),
        remove=("ALTER TABLESPACE pg_default OWNER TO CURRENT_USER",),
        attack="rename a tablespace",
    ),
)

MEMBERSHIPS = (
    Mutation(
        "the sandbox's owner is a member of prod's",
        2,
        "^{owner} → member of {prod_owner} → owner of database {prod}$",
        plant=("GRANT {prod_owner} TO {owner}",),
        remove=("REVOKE {prod_owner} FROM {owner}",),
        attack="drop prod",
    ),
    Mutation(
        "a leased login reaches prod's owner through a third role",
        2,
        "^{app} → member of ops → member of {prod_owner} → owner of database {prod}$",
        plant=("CREATE ROLE ops", "GRANT {prod_owner} TO ops", "GRANT ops TO {app}"),
        remove=("DROP ROLE ops",),
        attack="act as prod's owner",
    ),
    Mutation(
        "prod's owner can be set and not inherited",
        2,
        "^{owner} → member of {prod_owner} → owner of database {prod}$",
        plant=("GRANT {prod_owner} TO {owner} WITH INHERIT FALSE, SET TRUE",),
        remove=("REVOKE {prod_owner} FROM {owner}",),
        attack="act as prod's owner",
        since=16,
    ),
    Mutation(
        "prod's owner can be inherited and not set",
        2,
        "^{owner} → inherits {prod_owner} → owner of database {prod}$",
        plant=("GRANT {prod_owner} TO {owner} WITH INHERIT TRUE, SET FALSE",),
        remove=("REVOKE {prod_owner} FROM {owner}",),
        attack="drop prod",
        since=16,
    ),
    Mutation(
        "prod's owner can be granted to oneself",
        2,
        "^{owner} → may administer {prod_owner} → owner of database {prod}$",
        plant=("GRANT {prod_owner} TO {owner} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",),
        remove=("REVOKE {prod_owner} FROM {owner}",),
        attack="become a member of prod's owner",
        since=16,
    ),
    Mutation(
        "a membership that somebody else granted",
        2,
        "^{app} → member of {prod_owner} → owner of database {prod}$",
        plant=(
            "CREATE ROLE ops",
            "GRANT {prod_owner} TO ops WITH ADMIN OPTION",
            "GRANT {prod_owner} TO {app} GRANTED BY ops",
        ),
        remove=("REVOKE {prod_owner} FROM ops CASCADE", "DROP ROLE ops"),
        since=16,
    ),
    Mutation(
        "a leased login is a member of a superuser",
        2,
        "^{app} → member of {provisioner} → SUPERUSER$",
        plant=("GRANT {provisioner} TO {app}",),
        remove=("REVOKE {provisioner} FROM {app}",),
        attack="act as a superuser",
    ),
    Mutation(
        "somebody works on both sides",
        2,
        "^alice → member of {prod_owner} → owner of database {prod}$",
        plant=("CREATE ROLE alice LOGIN", "GRANT {prod_owner}, {owner} TO alice"),
        remove=("DROP ROLE alice",),
    ),
    Mutation(
        "prod's owner is a member of the sandbox's",
        2,
        "^{prod_app} → member of {prod_owner} → owner of database {prod}$",
        plant=("GRANT {owner} TO {prod_owner}",),
        remove=("REVOKE {owner} FROM {prod_owner}",),
    ),
    Mutation(
        "the owner of whichever database may write to a tablespace",
        13,
        "^{owner} → pg_database_owner in {sandbox}, as its owner → CREATE on tablespace pg_default",
        plant=("GRANT CREATE ON TABLESPACE pg_default TO pg_database_owner",),
        remove=("REVOKE CREATE ON TABLESPACE pg_default FROM pg_database_owner",),
    ),
    Mutation(
        "a leased login may be another one that prod's sessions use",
        2,
        "^{app} → member of {pooler} → CONNECT on database {prod}$",
        plant=("GRANT {pooler} TO {app}",),
        remove=("REVOKE {pooler} FROM {app}",),
    ),
)

ATTRIBUTES = (
    *(
        _attribute(attribute, "{owner}", f"^{{owner}} → {attribute}$", attack)
        for attribute, attack in (
            ("SUPERUSER", "drop prod"),
            ("CREATEROLE", "create a role"),
            ("CREATEDB", "create a database"),
            ("REPLICATION", "make a replication slot"),
            ("BYPASSRLS", None),
        )
    ),
    _attribute("SUPERUSER", "{harness}", "^{harness} → SUPERUSER$"),
    _attribute("CREATEDB", "{prod_owner}", "^{dump} → member of {prod_owner} → CREATEDB$"),
    _attribute("SUPERUSER", "{dump}", "^{dump} → SUPERUSER$"),
    *(
        _predefined(role, since, attack)
        for role, since, attack in (
            ("pg_read_all_data", 14, "act as pg_read_all_data"),
            ("pg_write_all_data", 14, "act as pg_write_all_data"),
            ("pg_monitor", 14, None),
            ("pg_read_server_files", 14, "read a file of the server by COPY"),
            ("pg_write_server_files", 14, "write a file of the server"),
            ("pg_execute_server_program", 14, "run a program by COPY TO"),
            ("pg_signal_backend", 14, "end prod's session"),
            ("pg_stat_scan_tables", 14, None),
            ("pg_checkpoint", 15, "have the server write a checkpoint"),
            ("pg_create_subscription", 16, None),
            ("pg_use_reserved_connections", 16, None),
            ("pg_maintain", 17, "act as pg_maintain"),
            ("pg_signal_autovacuum_worker", 18, None),
        )
    ),
    Mutation(
        "the dump's login may write everywhere",
        4,
        "^{dump} → member of pg_write_all_data$",
        plant=("GRANT pg_write_all_data TO {dump}",),
        remove=("REVOKE pg_write_all_data FROM {dump}",),
    ),
    Mutation(
        "a predefined role that nobody knows",
        4,
        "^PostgreSQL [0-9.]+ → predefined role pg_of_tomorrow$",
        plant=(
            "CREATE ROLE of_tomorrow",
            "SET allow_system_table_mods = on",
            "UPDATE pg_authid SET rolname = 'pg_of_tomorrow' WHERE rolname = 'of_tomorrow'",
        ),
        remove=(
            "SET allow_system_table_mods = on",
            "UPDATE pg_authid SET rolname = 'of_tomorrow' WHERE rolname = 'pg_of_tomorrow'",
            "DROP ROLE of_tomorrow",
        ),
        no_statement=True,
    ),
)

GRANTS = (
    _granted("every login may connect to prod", 5, "CONNECT ON DATABASE {prod}",
             "^PUBLIC → CONNECT on database {prod}$", to="PUBLIC",
             attack="connect to prod"),
    _granted("prod as PostgreSQL makes a database", 5, "CONNECT, TEMPORARY ON DATABASE {prod}",
             "^PUBLIC → CONNECT, TEMPORARY on database {prod}$", to="PUBLIC",
             attack="make a temporary table in prod"),
    _granted("a leased login may connect to prod", 5, "CONNECT ON DATABASE {prod}",
             "^{app} → CONNECT on database {prod}$", to="{app}",
             attack="connect to prod"),
    _granted("the sandbox may make schemas in prod", 5, "CREATE ON DATABASE {prod}",
             "^{owner} → CREATE on database {prod}$"),
    _granted("the sandbox may make schemas elsewhere", 5, "CREATE ON DATABASE postgres",
             "^{owner} → CREATE on database postgres$"),
    _granted("every login may create in prod's schema", 5, "CREATE ON SCHEMA public",
             "^PUBLIC → CREATE on schema public in {prod}$", to="PUBLIC"),
    _granted("the sandbox may use prod's schema", 5, "USAGE ON SCHEMA public",
             "^{owner} → USAGE on schema public in {prod}$"),
    _granted("the sandbox was granted a type of prod's", 5, "USAGE ON TYPE public.llx_kind",
             "^{owner} → USAGE on type public.llx_kind in {prod}$"),
    *(
        _granted(f"the sandbox may {privilege} a table of prod's", 6,
                 f"{privilege} ON TABLE public.llx_3",
                 f"^{{owner}} → {privilege} on table public.llx_3 in {{prod}}$", since=since)
        for privilege, since in (("SELECT", 14), ("INSERT", 14), ("UPDATE", 14), ("DELETE", 14),
                                 ("TRUNCATE", 14), ("TRIGGER", 14), ("REFERENCES", 14),
                                 ("MAINTAIN", 17))
    ),
    _granted("every login may read a table of prod's", 6, "SELECT ON TABLE public.llx_3",
             "^PUBLIC → SELECT on table public.llx_3 in {prod}$", to="PUBLIC"),
    _granted("the sandbox may change one column", 6, "UPDATE (name) ON TABLE public.llx_3",
             "^{owner} → UPDATE on column name of table public.llx_3 in {prod}$"),
    _granted("the sandbox may read every table", 6, "SELECT ON ALL TABLES IN SCHEMA public",
             r"^{owner} → SELECT on 13 tables of schema public \([0-9a-f]+\) in {prod}$"),
    _granted("the sandbox may read through a view", 6, "SELECT ON public.llx_names",
             "^{owner} → SELECT on table public.llx_names in {prod}$"),
    _granted("the sandbox may grant a table on", 6,
             "SELECT ON TABLE public.llx_3 WITH GRANT OPTION",
             "^{owner} → SELECT on table public.llx_3 in {prod}, to be granted on$"),
    _granted("a sequence may be advanced", 7, "USAGE ON SEQUENCE public.llx_3_rowid_seq",
             "^{owner} → USAGE on sequence public.llx_3_rowid_seq in {prod}$"),
    _granted("every sequence may be set", 7, "UPDATE ON ALL SEQUENCES IN SCHEMA public",
             r"^{owner} → UPDATE on 12 sequences of schema public \([0-9a-f]+\) in {prod}$"),
    _granted("the sandbox reads the passwords' hashes", 6, "SELECT ON TABLE pg_catalog.pg_authid",
             "^{owner} → SELECT on table pg_catalog.pg_authid in {sandbox}$", where="{sandbox}",
             attack="read password hashes"),
    _granted("every login reads them, in a third database", 6,
             "SELECT ON TABLE pg_catalog.pg_authid",
             "^PUBLIC → SELECT on table pg_catalog.pg_authid in postgres$", to="PUBLIC",
             where="postgres"),
    _granted("the sandbox reads files of the server", 8,
             "EXECUTE ON FUNCTION pg_catalog.pg_read_file(text)",
             r"^{owner} → EXECUTE on routine pg_read_file\(text\) in {sandbox}$",
             where="{sandbox}", attack="read a file of the server"),
    _granted("the sandbox creates in pg_catalog", 5, "CREATE ON SCHEMA pg_catalog",
             "^{owner} → CREATE on schema pg_catalog in {sandbox}$", where="{sandbox}"),
    _granted("a large object may be changed", 13, "UPDATE ON LARGE OBJECT 424242",
             "^{owner} → UPDATE on large object 424242 in {prod}$"),
    _granted("the sandbox may write to a tablespace", 13, "CREATE ON TABLESPACE pg_default",
             "^{owner} → CREATE on tablespace pg_default$"),
    _granted("the sandbox may change a parameter of the server", 11,
             "ALTER SYSTEM ON PARAMETER work_mem",
             "^{owner} → ALTER SYSTEM on parameter work_mem$", since=15,
             attack="change the server's configuration"),
    _granted("every login may set a parameter of superusers", 11,
             "SET ON PARAMETER session_replication_role",
             "^PUBLIC → SET on parameter session_replication_role$", to="PUBLIC", since=15),
    Mutation(
        "tables of prod to come can be written by the sandbox",
        12,
        "^{owner} → INSERT on tables yet to come by {prod_owner} in {prod}$",
        plant=("ALTER DEFAULT PRIVILEGES FOR ROLE {prod_owner} GRANT INSERT ON TABLES TO {owner}",),
        remove=(("ALTER DEFAULT PRIVILEGES FOR ROLE {prod_owner} REVOKE INSERT ON TABLES"
                " FROM {owner}"),),
    ),
    Mutation(
        "sequences of prod to come can be advanced by every login",
        12,
        "^PUBLIC → USAGE on sequences yet to come by {prod_owner} in schema public in {prod}$",
        plant=(("ALTER DEFAULT PRIVILEGES FOR ROLE {prod_owner} IN SCHEMA public"
               " GRANT USAGE ON SEQUENCES TO PUBLIC"),),
        remove=(("ALTER DEFAULT PRIVILEGES FOR ROLE {prod_owner} IN SCHEMA public"
                " REVOKE USAGE ON SEQUENCES FROM PUBLIC"),),
    ),
)  # fmt: skip

CODE = (
    *(
        _granted(f"the passwords' lookup is open to {whom} in {where}", 8,
                 "EXECUTE ON FUNCTION public.user_lookup(text)",
                 rf"^{to} → EXECUTE on function public.user_lookup\(text\) in {where}, which runs"
                 " as {provisioner}$", to=to, where=where,
                 attack="call a function of the sandbox that runs as its owner"
                 if where == "{sandbox}" else None)
        for whom, to, where in (("every login", "PUBLIC", "{sandbox}"),
                                ("every login", "PUBLIC", "{prod}"),
                                ("the owner", "{owner}", "{sandbox}"),
                                ("a lease", "{app}", "{sandbox}"))
    ),
    Mutation(
        "the lookup has no search_path, in the sandbox",
        8,
        "^{owner} → may create objects in {sandbox} "
        + _UNSAFE.format(where="{sandbox}", provisioner="{provisioner}")
        + "it has no search_path of its own$",
        plant=("ALTER FUNCTION public.user_lookup(text) RESET search_path",),
        remove=("ALTER FUNCTION public.user_lookup(text) SET search_path = pg_catalog, pg_temp",),
        where="{sandbox}",
    ),
    Mutation(
        "the lookup has no search_path, in prod",
        8,
        "^{dump} → member of {prod_owner} → may create objects in {prod} "
        + _UNSAFE.format(where="{prod}", provisioner="{provisioner}")
        + "it has no search_path of its own$",
        plant=("ALTER FUNCTION public.user_lookup(text) RESET search_path",),
        remove=("ALTER FUNCTION public.user_lookup(text) SET search_path = pg_catalog, pg_temp",),
    ),
    Mutation(
        "the lookup looks into a schema of the sandbox's",
        8,
        "^{owner} → .* → function public.user_lookup.*: schema public on its search_path is open to"
        " pg_database_owner$",
        plant=("ALTER FUNCTION public.user_lookup(text) SET search_path = public, pg_temp",),
        remove=("ALTER FUNCTION public.user_lookup(text) SET search_path = pg_catalog, pg_temp",),
        where="{sandbox}",
    ),
    Mutation(
        "a superuser's function that every login may call",
        8,
        r"^PUBLIC → EXECUTE on function public.planted\(\) in {sandbox}, which runs as",
        plant=(
            ("CREATE FUNCTION public.planted() RETURNS int LANGUAGE sql SECURITY DEFINER"
            " SET search_path = pg_catalog, pg_temp AS 'SELECT 1'"),
            "ALTER FUNCTION public.planted() OWNER TO {provisioner}",
        ),
        remove=("DROP FUNCTION public.planted()",),
        where="{sandbox}",
    ),
    Mutation(
        "a function of prod that runs as prod's owner for every login",
        8,
        r"^PUBLIC → EXECUTE on function public.llx_count\(\) in {prod}, which runs as {prod_owner}",
        plant=("ALTER FUNCTION public.llx_count() SECURITY DEFINER",),
        remove=(
            "ALTER FUNCTION public.llx_count() SECURITY INVOKER",
            "GRANT EXECUTE ON FUNCTION public.llx_count() TO PUBLIC",
        ),
    ),
    Mutation(
        "a function in C that every login may call",
        8,
        r"^PUBLIC → EXECUTE on function public.planted\(oid\) in {sandbox}, in c$",
        plant=(
            ("CREATE FUNCTION public.planted(oid) RETURNS void LANGUAGE c"
            " AS '$libdir/plpgsql', 'plpgsql_validator'"),
        ),
        remove=("DROP FUNCTION public.planted(oid)",),
        where="{sandbox}",
    ),
    Mutation(
        "an untrusted language that says it is trusted",
        8,
        "^PUBLIC → USAGE on language c in {sandbox}, which says it is trusted$",
        plant=(
            "SET allow_system_table_mods = on",
            "UPDATE pg_language SET lanpltrusted = true WHERE lanname = 'c'",
        ),
        remove=(
            "SET allow_system_table_mods = on",
            "UPDATE pg_language SET lanpltrusted = false, lanacl = NULL WHERE lanname = 'c'",
        ),
        where="{sandbox}",
    ),
    Mutation(
        "a superuser's view on the passwords' hashes",
        6,
        "^{owner} → view public.planted in {sandbox}, with the rights of {provisioner}$",
        plant=(
            "CREATE VIEW public.planted AS SELECT rolname, rolpassword FROM pg_catalog.pg_authid",
            "ALTER VIEW public.planted OWNER TO {provisioner}",
            "GRANT SELECT ON public.planted TO {owner}",
        ),
        remove=("DROP VIEW public.planted",),
        attack="read a view of the sandbox that shows what its owner sees",
        where="{sandbox}",
    ),
    Mutation(
        "a policy of prod that names the sandbox",
        9,
        "^{owner} → named in a policy of policy planted on public.llx_9 in {prod}$",
        plant=("CREATE POLICY planted ON public.llx_9 TO {owner}",),
        remove=("DROP POLICY IF EXISTS planted ON public.llx_9",),
    ),
    Mutation(
        "a superuser's event trigger calls a function of the sandbox's",
        9,
        r"^{owner} → owner of public.planted\(\), which event trigger planted in {sandbox} calls$",
        plant=(
            ("CREATE FUNCTION public.planted() RETURNS event_trigger LANGUAGE plpgsql"
            " AS 'BEGIN END'"),
            "CREATE EVENT TRIGGER planted ON ddl_command_end EXECUTE FUNCTION public.planted()",
            "ALTER FUNCTION public.planted() OWNER TO {owner}",
        ),
        remove=("DROP EVENT TRIGGER planted", "DROP FUNCTION public.planted()"),
        where="{sandbox}",
    ),
    Mutation(
        "functions that the provisioner is going to make are open to the sandbox",
        12,
        "^{owner} → EXECUTE on routines yet to come by {provisioner} in {sandbox}$",
        plant=(
            "ALTER DEFAULT PRIVILEGES FOR ROLE {provisioner} GRANT EXECUTE ON ROUTINES TO {owner}",
        ),
        remove=(
            "ALTER DEFAULT PRIVILEGES FOR ROLE {provisioner} REVOKE ALL ON ROUTINES FROM {owner}",
        ),
        where="{sandbox}",
    ),
    Mutation(
        "an operator of prod is the sandbox's",
        9,
        "^{owner} → owner of operator public.===.* in {prod}$",
        plant=(
            "CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
            "ALTER OPERATOR public.=== (int, int) OWNER TO {owner}",
        ),
        remove=("DROP OPERATOR public.=== (int, int)",),
    ),
    Mutation(
        "dblink in the sandbox",
        10,
        "^PUBLIC → EXECUTE on functions of extension dblink in {sandbox}$",
        plant=("CREATE EXTENSION dblink SCHEMA public",),
        remove=("DROP EXTENSION IF EXISTS dblink",),
        where="{sandbox}",
    ),
    Mutation(
        "the sandbox may make foreign servers",
        10,
        "^{owner} → USAGE on foreign data wrapper postgres_fdw in {sandbox}$",
        plant=(
            "CREATE EXTENSION postgres_fdw SCHEMA public",
            "GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {owner}",
        ),
        remove=("DROP EXTENSION postgres_fdw",),
        where="{sandbox}",
    ),
    Mutation(
        "a user mapping for every login",
        10,
        "^PUBLIC → user mapping on foreign server back in {sandbox}$",
        plant=(
            "CREATE EXTENSION postgres_fdw SCHEMA public",
            "CREATE SERVER back FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'erp')",
            "CREATE USER MAPPING FOR PUBLIC SERVER back OPTIONS (user 'x', password 'y')",
        ),
        remove=("DROP EXTENSION postgres_fdw CASCADE",),
        where="{sandbox}",
    ),
    Mutation(
        "a foreign server of the sandbox's",
        10,
        "^{owner} → owner of foreign server back in {sandbox}$",
        plant=(
            "CREATE EXTENSION postgres_fdw SCHEMA public",
            "CREATE SERVER back FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'erp')",
            "GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {owner}",
            "ALTER SERVER back OWNER TO {owner}",
            "REVOKE USAGE ON FOREIGN DATA WRAPPER postgres_fdw FROM {owner}",
        ),
        remove=("DROP EXTENSION postgres_fdw CASCADE",),
        where="{sandbox}",
    ),
    Mutation(
        "a file of the server as a table",
        10,
        "^PUBLIC → foreign table public.planted in {sandbox}$",
        plant=(
            "CREATE EXTENSION file_fdw SCHEMA public",
            "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw",
            ("CREATE FOREIGN TABLE public.planted (line text) SERVER files"
            " OPTIONS (filename '/etc/hostname')"),
            "GRANT SELECT ON public.planted TO PUBLIC",
        ),
        remove=("DROP EXTENSION file_fdw CASCADE",),
        where="{sandbox}",
    ),
    Mutation(
        "a subscription of the sandbox's",
        10,
        "^{owner} → owner of subscription planted$",
        plant=(
            ("CREATE SUBSCRIPTION planted CONNECTION 'dbname=erp' PUBLICATION x"
            " WITH (connect = false, slot_name = NONE)"),
            "ALTER SUBSCRIPTION planted OWNER TO {owner}",
        ),
        remove=("DROP SUBSCRIPTION planted",),
        where="{sandbox}",
        since=16,
    ),
)  # fmt: skip

SETTINGS = (
    Mutation(
        "a library is loaded into every session on prod",
        11,
        "^database {prod} → session_preload_libraries = auto_explain → a library",
        plant=("ALTER DATABASE {prod} SET session_preload_libraries = auto_explain",),
        remove=("ALTER DATABASE {prod} RESET session_preload_libraries",),
    ),
    Mutation(
        "a library is loaded into every session of everybody",
        11,
        "^every role → session_preload_libraries = auto_explain → a library",
        plant=("ALTER ROLE ALL SET session_preload_libraries = auto_explain",),
        remove=("ALTER ROLE ALL RESET session_preload_libraries",),
    ),
    Mutation(
        "prod's application looks into a schema of the sandbox's first",
        11,
        "^role {prod_app} in database {prod} → search_path = planted, public → schema planted, open"
        " to {owner}$",
        plant=(
            "CREATE SCHEMA planted AUTHORIZATION {owner}",
            "ALTER ROLE {prod_app} IN DATABASE {prod} SET search_path = planted, public",
        ),
        remove=(
            "DROP SCHEMA planted",
            "ALTER ROLE {prod_app} IN DATABASE {prod} RESET search_path",
        ),
    ),
    Mutation(
        "prod's application works as the sandbox",
        11,
        "^role {prod_app} → role = {owner} → what they make belongs to {owner}$",
        plant=("ALTER ROLE {prod_app} SET role = {owner}",),
        remove=("ALTER ROLE {prod_app} SET role = {prod_owner}",),
    ),
    Mutation(
        "large objects know no owners",
        13,
        "^PUBLIC → lo_compat_privileges = on → large objects of {prod}$",
        plant=("ALTER DATABASE {sandbox} SET lo_compat_privileges = on",),
        remove=("ALTER DATABASE {sandbox} RESET lo_compat_privileges",),
        no_statement=True,
    ),
)

UNKNOWN = (
    Mutation(
        "a relation of a kind that nobody knows",
        1,
        "^database {prod} → a relation of kind g$",
        plant=(
            "CREATE TABLE public.planted ()",
            "SET allow_system_table_mods = on",
            "UPDATE pg_class SET relkind = 'g' WHERE relname = 'planted'",
        ),
        remove=(
            "SET allow_system_table_mods = on",
            "UPDATE pg_class SET relkind = 'r' WHERE relname = 'planted'",
            "DROP TABLE public.planted",
        ),
        no_statement=True,
    ),
    Mutation(
        "a catalogue with grants that nobody knows",
        1,
        "^database {prod} → a column of grants pg_planted.acl$",
        plant=(
            "SET allow_system_table_mods = on",
            "CREATE TABLE pg_catalog.pg_planted (acl aclitem[])",
        ),
        remove=(
            "SET allow_system_table_mods = on",
            "DROP TABLE pg_catalog.pg_planted",
        ),
        no_statement=True,
    ),
    Mutation(
        "an object that no known catalogue holds",
        1,
        r"^{owner} → an object of pg_aggregate in {prod}$",
        plant=(
            "SET allow_system_table_mods = on",
            (
                "INSERT INTO pg_shdepend SELECT database.oid, 'pg_aggregate'::regclass, 4711, 0,"
                " 'pg_authid'::regclass, '{owner_name}'::regrole, 'o' FROM pg_database AS database"
                " WHERE datname = current_database()"
            ),
        ),
        remove=(
            "SET allow_system_table_mods = on",
            "DELETE FROM pg_shdepend WHERE classid = 'pg_aggregate'::regclass",
        ),
        no_statement=True,
    ),
)

MUTATIONS = (*OWNERSHIP, *MEMBERSHIPS, *ATTRIBUTES, *GRANTS, *CODE, *SETTINGS, *UNKNOWN)
