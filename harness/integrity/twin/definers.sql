-- Functions of this database that run with the rights of their owner, one of those whose owner and
-- rights are the same, a superuser's first: a call of each, whose arguments nobody can compute
-- beforehand.
WITH definer AS (
    SELECT DISTINCT ON (proc.proowner, proc.proacl::text, namespace.nspacl::text)
        owner.rolsuper, namespace.nspname, proc.proname, proc.proargtypes
    FROM pg_catalog.pg_proc AS proc
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = proc.pronamespace
    JOIN pg_catalog.pg_roles AS owner ON owner.oid = proc.proowner
    JOIN pg_catalog.pg_type AS result ON result.oid = proc.prorettype
    WHERE proc.prosecdef
      AND proc.prokind = 'f'
      -- One that never changes its answer is called while the call is planned.
      AND proc.provolatile <> 'i'
      AND result.typname NOT IN ('trigger', 'event_trigger')
      AND namespace.nspname <> 'pg_catalog'
      AND pg_catalog.pg_get_userbyid(proc.proowner) <> %(owner)s
    ORDER BY proc.proowner, proc.proacl::text, namespace.nspacl::text, namespace.nspname, proc.proname
)
SELECT
    pg_catalog.concat(
        pg_catalog.quote_ident(nspname), '.', pg_catalog.quote_ident(proname), '(',
        (
            SELECT pg_catalog.string_agg(
                pg_catalog.format('(SELECT NULL::%%s)', pg_catalog.format_type(argument, NULL)),
                ', ' ORDER BY number
            )
            FROM pg_catalog.unnest(proargtypes) WITH ORDINALITY AS given (argument, number)
        ),
        ')'
    )
FROM definer
ORDER BY rolsuper DESC, nspname, proname
