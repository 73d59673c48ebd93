-- Every role of the server, with the attributes that reach beyond one database.
SELECT
    role.oid::bigint AS oid,
    role.rolname::text AS name,
    role.rolcanlogin AS may_log_in,
    role.rolconnlimit AS connection_limit,
    ARRAY(
        SELECT attribute.name
        FROM (VALUES
            ('SUPERUSER', role.rolsuper),
            ('CREATEROLE', role.rolcreaterole),
            ('CREATEDB', role.rolcreatedb),
            ('REPLICATION', role.rolreplication),
            ('BYPASSRLS', role.rolbypassrls)
        ) AS attribute (name, is_set)
        WHERE attribute.is_set
    ) AS attributes
FROM pg_catalog.pg_roles AS role
ORDER BY role.rolname
