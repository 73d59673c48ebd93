-- Every database of the server.
SELECT
    database.oid::bigint AS oid,
    database.datname::text AS name,
    database.datdba::bigint AS owner,
    database.datallowconn AS accepts_sessions,
    database.datistemplate AS is_template,
    database.datconnlimit AS connection_limit
FROM pg_catalog.pg_database AS database
ORDER BY database.datname
