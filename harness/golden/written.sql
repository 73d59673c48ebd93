-- Tables that this very transaction has written, with the number of row versions; its own counters
-- lag behind nothing.
SELECT relnamespace::regnamespace::text, relname::text, counted.versions
FROM pg_catalog.pg_class
CROSS JOIN LATERAL (
    SELECT
        pg_catalog.pg_stat_get_xact_tuples_inserted(oid)
        + pg_catalog.pg_stat_get_xact_tuples_updated(oid)
        + pg_catalog.pg_stat_get_xact_tuples_deleted(oid)
) AS counted (versions)
WHERE relkind = 'r' AND oid >= 16384 AND counted.versions > 0
