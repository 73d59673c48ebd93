-- What of the server decides which traces of a rehearsal can be believed. One row. The functions behind
-- the views of statistics: to plan a view takes longer than to run it.
SELECT
    pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint AS next,
    pg_catalog.pg_postmaster_start_time() AS server_started,
    pg_catalog.pg_stat_get_db_stat_reset_time(here.oid) AS statistics_since,
    pg_catalog.current_setting('track_counts')::bool AS counting,
    EXISTS (
        SELECT FROM pg_catalog.pg_db_role_setting WHERE setconfig::text ~ 'track_counts'
    ) AS not_by_all,
    -- Sessions that may have counted and not told yet: all but this run's own.
    (
        SELECT count(*) FROM pg_catalog.pg_stat_get_activity(NULL)
        WHERE datid = here.oid
          AND application_name NOT LIKE %(own)s
          AND usesysid IS NOT NULL
    ) AS others,
    -- Functions of the extension alone, wherever the provisioner has put it; nothing else is called.
    (
        SELECT CASE WHEN count(*) = 2 THEN min(namespace.nspname)::text END
        FROM pg_catalog.pg_extension AS extension
        JOIN pg_catalog.pg_depend AS member
          ON member.refclassid = 'pg_catalog.pg_extension'::regclass
          AND member.refobjid = extension.oid
          AND member.classid = 'pg_catalog.pg_proc'::regclass
          AND member.deptype = 'e'
        JOIN pg_catalog.pg_proc AS proc ON proc.oid = member.objid
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = proc.pronamespace
        WHERE extension.extname = 'pg_visibility'
          AND proc.proname IN ('pg_visibility_map', 'pg_visibility_map_summary')
          AND proc.pronargs = 1
          AND pg_catalog.has_function_privilege(proc.oid, 'EXECUTE')
          AND pg_catalog.has_schema_privilege(proc.pronamespace, 'USAGE')
    ) AS visibility
FROM pg_catalog.pg_database AS here
WHERE here.datname = pg_catalog.current_database()
