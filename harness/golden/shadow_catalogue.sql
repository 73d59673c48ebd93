-- One digest of everything that is defined in the shadow, files and grants included: whoever may
-- write there could make it lie, and a trigger, rule or policy would make it lie by itself.
SELECT pg_catalog.md5(coalesce(string_agg(line, E'\n' ORDER BY line), ''))
FROM (
    SELECT concat_ws(
        ' ', class.oid, class.relname, class.relkind, class.relpersistence, class.relowner,
        class.relacl, pg_catalog.pg_relation_filenode(class.oid), class.relhasrules,
        class.relhastriggers, class.relrowsecurity, class.relforcerowsecurity, class.reloptions
    )
    FROM pg_catalog.pg_class AS class
    WHERE class.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'golden')
    UNION ALL
    SELECT concat_ws(
        ' ', attrelid, attnum, attname, atttypid, atttypmod, attisdropped, attacl, atthasdef
    )
    FROM pg_catalog.pg_attribute
    JOIN pg_catalog.pg_class AS class ON class.oid = attrelid
    WHERE class.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'golden')
    UNION ALL
    SELECT concat_ws(' ', conrelid, conname, contype)
    FROM pg_catalog.pg_constraint
    WHERE connamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'golden')
    UNION ALL
    SELECT concat_ws(' ', nspname, nspowner, nspacl)
    FROM pg_catalog.pg_namespace WHERE nspname = 'golden'
) AS definition (line)
