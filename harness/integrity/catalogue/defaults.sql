-- Default privileges in this database: what objects yet to come will grant to any of the roles
-- (0 is PUBLIC) beyond PostgreSQL's own defaults.
SELECT
    entry.defaclobjtype::text AS object_type,
    pg_catalog.pg_get_userbyid(entry.defaclrole)::text AS creator,
    coalesce(namespace.nspname::text, '') AS schema,
    item.grantee::bigint AS grantee,
    pg_catalog.array_agg(DISTINCT item.privilege_type ORDER BY item.privilege_type) AS privileges
FROM pg_catalog.pg_default_acl AS entry
LEFT JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = entry.defaclnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(entry.defaclacl) AS item
WHERE item.grantee = ANY (%(roles)s::bigint[]::pg_catalog.oid[])
  AND item.grantee <> entry.defaclrole
  -- Functions and types are PUBLIC's to begin with.
  AND NOT (item.grantee = 0 AND entry.defaclnamespace = 0 AND entry.defaclobjtype IN ('f', 'T'))
GROUP BY entry.defaclobjtype, entry.defaclrole, namespace.nspname, item.grantee
ORDER BY 2, 3, 1, 4
