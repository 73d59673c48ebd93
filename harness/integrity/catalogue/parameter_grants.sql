-- Grants on parameters of the server; the catalogue came with 15.
SELECT
    'PARAMETER' AS kind,
    parameter.parname AS name,
    item.grantee::bigint AS grantee,
    pg_catalog.array_agg(DISTINCT item.privilege_type ORDER BY item.privilege_type) AS privileges,
    pg_catalog.bool_or(item.is_grantable) AS is_grantable
FROM pg_catalog.pg_parameter_acl AS parameter
CROSS JOIN LATERAL pg_catalog.aclexplode(parameter.paracl) AS item
GROUP BY parameter.parname, item.grantee
ORDER BY parameter.parname, item.grantee
