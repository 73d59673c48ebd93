-- The schemas of this database, and who may create objects in each.
SELECT
    namespace.nspname::text AS name,
    namespace.nspowner::bigint AS owner,
    ARRAY(
        SELECT item.grantee::bigint
        FROM pg_catalog.aclexplode(
            coalesce(namespace.nspacl, pg_catalog.acldefault('n', namespace.nspowner))
        ) AS item
        WHERE item.privilege_type = 'CREATE' AND item.grantee <> namespace.nspowner
    ) AS creators
FROM pg_catalog.pg_namespace AS namespace
WHERE namespace.nspname NOT LIKE 'pg\_t%%'
ORDER BY 1
