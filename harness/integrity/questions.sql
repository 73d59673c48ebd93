-- What this session's login could do to prod, asked of the catalogues; nothing is attempted.
WITH RECURSIVE reach (oid) AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolname IN (SESSION_USER, CURRENT_USER)
    UNION
    SELECT member.roleid
    FROM pg_catalog.pg_auth_members AS member
    JOIN reach ON reach.oid = member.member
)
SELECT
    SESSION_USER::text AS login,
    (
        SELECT pg_catalog.array_agg(database.datname::text ORDER BY database.datname)
        FROM pg_catalog.pg_database AS database
        WHERE database.datdba IN (SELECT oid FROM reach)
    ) AS owned_databases,
    (
        SELECT pg_catalog.array_agg(database.datname::text ORDER BY database.datname)
        FROM pg_catalog.pg_database AS database
        WHERE EXISTS (
            SELECT FROM reach
            WHERE pg_catalog.has_database_privilege(reach.oid, database.oid, 'CONNECT')
        )
    ) AS open_databases,
    EXISTS (
        SELECT FROM reach JOIN pg_catalog.pg_roles AS role USING (oid)
        WHERE role.rolcreatedb OR role.rolsuper
    ) AS may_create_databases,
    (
        SELECT pg_catalog.pg_get_userbyid(prod.datdba)::text
        FROM pg_catalog.pg_database AS prod WHERE prod.datname = %(prod)s
    ) AS owner_of_prod,
    (
        SELECT pg_catalog.array_agg(role.rolname::text ORDER BY role.rolname)
        FROM reach JOIN pg_catalog.pg_roles AS role USING (oid)
    ) AS can_act_as,
    (
        SELECT pg_catalog.array_agg(role.rolname::text ORDER BY role.rolname)
        FROM reach JOIN pg_catalog.pg_roles AS role USING (oid)
        WHERE role.rolsuper
    ) AS superusers
