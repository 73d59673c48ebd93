-- Settings that a database or a role brings to its sessions.
SELECT
    database.datname::text AS database,
    role.rolname::text AS role,
    pg_catalog.split_part(item.pair, '=', 1) AS name,
    pg_catalog.substr(item.pair, pg_catalog.strpos(item.pair, '=') + 1) AS value
FROM pg_catalog.pg_db_role_setting AS setting
LEFT JOIN pg_catalog.pg_database AS database ON database.oid = setting.setdatabase
LEFT JOIN pg_catalog.pg_roles AS role ON role.oid = setting.setrole
CROSS JOIN LATERAL pg_catalog.unnest(setting.setconfig) AS item (pair)
ORDER BY 1 NULLS FIRST, 2 NULLS FIRST, 3
