-- What surrounds the content of a database, as one row.
SELECT
    (
        SELECT coalesce(pg_catalog.jsonb_object_agg(extname, pg_catalog.pg_get_userbyid(extowner)), '{}')
        FROM pg_catalog.pg_extension
    ) AS extensions,
    (
        SELECT pg_catalog.pg_get_userbyid(nspowner)::text
        FROM pg_catalog.pg_namespace WHERE nspname = 'public'
    ) AS owner_of_public,
    (
        SELECT coalesce(pg_catalog.jsonb_object_agg(proname, pg_catalog.pg_get_userbyid(proowner)), '{}')
        FROM pg_catalog.pg_proc
        WHERE pronamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'public')
          AND proname = ANY (%(provisioner_functions)s)
    ) AS provisioner_functions,
    pg_catalog.pg_database_size(pg_catalog.current_database()) AS size,
    (SELECT count(*) FROM pg_catalog.pg_locks) AS locks_in_use,
    pg_catalog.current_setting('max_locks_per_transaction')::int
        * (
            pg_catalog.current_setting('max_connections')::int
            + pg_catalog.current_setting('max_prepared_transactions')::int
        ) AS lock_table
