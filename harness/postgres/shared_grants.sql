-- Grants on what all databases of the server share.
SELECT 'database', datname::text, datacl::text FROM pg_catalog.pg_database
UNION ALL
SELECT 'tablespace', spcname::text, spcacl::text FROM pg_catalog.pg_tablespace
ORDER BY 1, 2
