-- Objects in schema public that belong to somebody else than they should.
SELECT kind, name, pg_catalog.pg_get_userbyid(owner)::text
FROM (
    SELECT 'relation' AS kind, relname::text AS name, relowner AS owner
    FROM pg_catalog.pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'I', 't')
    UNION ALL
    SELECT 'function', proname::text, proowner
    FROM pg_catalog.pg_proc
    WHERE pronamespace = 'public'::regnamespace
) AS object
WHERE owner <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = %s)
  AND NOT (kind = 'function' AND name = ANY (%s))
ORDER BY 1, 2
