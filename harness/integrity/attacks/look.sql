-- What tells in a moment whether anything at all has happened on the server.
SELECT
    pg_catalog.pg_current_wal_insert_lsn()::text AS "WAL",
    pg_catalog.pg_postmaster_start_time()::text AS "start of the server",
    pg_catalog.pg_conf_load_time()::text AS "reading of the configuration",
    pg_catalog.pg_read_file('postgresql.auto.conf') AS "configuration",
    (SELECT pg_catalog.count(*)::text FROM pg_catalog.pg_replication_slots) AS "replication slots",
    (SELECT pg_catalog.count(*)::text FROM pg_catalog.pg_prepared_xacts) AS "prepared transactions",
    (
        SELECT pg_catalog.max(stats_reset)::text FROM pg_catalog.pg_stat_database
    ) AS "statistics of databases",
    (SELECT stats_reset::text FROM pg_catalog.pg_stat_bgwriter) AS "statistics of the server"
