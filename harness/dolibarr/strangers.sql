-- Objects in schema public that belong to somebody else than they should. What an extension brought
-- is the extension's.
SELECT kind, name, pg_catalog.pg_get_userbyid(owner)::text
FROM (
    SELECT
        'pg_catalog.pg_class'::regclass AS classid, oid,
        'relation' AS kind, relname::text AS name, relowner AS owner
    FROM pg_catalog.pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'I', 't')
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, oid, 'function', proname::text, proowner
    FROM pg_catalog.pg_proc
    WHERE pronamespace = 'public'::regnamespace
) AS object
WHERE owner <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = %s)
  AND NOT (kind = 'function' AND name = ANY (%s))
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend AS member
      WHERE member.classid = object.classid AND member.objid = object.oid AND member.deptype = 'e'
  )
ORDER BY 1, 2
