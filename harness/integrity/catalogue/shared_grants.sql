-- Grants on what all databases of the server share, PUBLIC's by default included.
SELECT
    shared.kind AS kind,
    shared.name AS name,
    item.grantee::bigint AS grantee,
    pg_catalog.array_agg(DISTINCT item.privilege_type ORDER BY item.privilege_type) AS privileges,
    pg_catalog.bool_or(item.is_grantable) AS is_grantable
FROM (
    SELECT 'DATABASE', datname::text, datdba, coalesce(datacl, pg_catalog.acldefault('d', datdba))
    FROM pg_catalog.pg_database
    UNION ALL
    SELECT 'TABLESPACE', spcname::text, spcowner, coalesce(spcacl, pg_catalog.acldefault('t', spcowner))
    FROM pg_catalog.pg_tablespace
) AS shared (kind, name, owner, acl)
CROSS JOIN LATERAL pg_catalog.aclexplode(shared.acl) AS item
WHERE item.grantee <> shared.owner
GROUP BY shared.kind, shared.name, item.grantee
ORDER BY shared.kind, shared.name, item.grantee
