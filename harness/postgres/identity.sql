-- Who this session is, where it is, and whom it could become. One row.
-- Every membership counts, whatever its options: what is only possible today is used tomorrow.
WITH RECURSIVE reach (oid) AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolname IN (SESSION_USER, CURRENT_USER)
    UNION
    SELECT member.roleid
    FROM pg_catalog.pg_auth_members AS member
    JOIN reach ON reach.oid = member.member
)
SELECT
    pg_catalog.pg_backend_pid() AS pid,
    here.datname::text AS database,
    here.oid::bigint AS database_oid,
    pg_catalog.pg_get_userbyid(here.datdba)::text AS owner,
    (SELECT system_identifier FROM pg_catalog.pg_control_system()) AS system_identifier,
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    pg_catalog.shobj_description(here.oid, 'pg_database') AS comment,
    CURRENT_USER::text AS current_role_name,
    SESSION_USER::text AS login,
    (
        SELECT pg_catalog.pg_get_userbyid(prod.datdba)::text
        FROM pg_catalog.pg_database AS prod
        WHERE prod.datname = %(prod_database)s
    ) AS prod_owner,
    (
        SELECT pg_catalog.array_agg(role.rolname::text ORDER BY role.rolname)
        FROM reach JOIN pg_catalog.pg_roles AS role USING (oid)
    ) AS reachable,
    (
        SELECT coalesce(pg_catalog.array_agg(role.rolname || ' is ' || attribute.name
                                             ORDER BY role.rolname, attribute.name), '{}')
        FROM reach
        JOIN pg_catalog.pg_roles AS role USING (oid)
        CROSS JOIN LATERAL (VALUES
            ('SUPERUSER', role.rolsuper),
            ('CREATEDB', role.rolcreatedb),
            ('CREATEROLE', role.rolcreaterole),
            ('REPLICATION', role.rolreplication),
            ('BYPASSRLS', role.rolbypassrls)
        ) AS attribute (name, is_set)
        WHERE attribute.is_set
    ) AS attributes
FROM pg_catalog.pg_database AS here
WHERE here.datname = pg_catalog.current_database()
