-- Sessions on this database, other than this run's own, that could write as its owner.
-- A superuser's are left out: they are the provisioner's and the DBA's, and hold no lease.
SELECT
    activity.pid,
    activity.usename::text,
    activity.application_name,
    activity.backend_start AT TIME ZONE 'UTC',
    activity.application_name LIKE %(harness)s AS left_by_a_dead_run
FROM pg_catalog.pg_stat_activity AS activity
JOIN pg_catalog.pg_roles AS role ON role.oid = activity.usesysid
WHERE activity.datname = pg_catalog.current_database()
  AND activity.application_name NOT LIKE %(own)s
  AND NOT role.rolsuper
  AND pg_catalog.pg_has_role(role.oid, %(owner)s, 'MEMBER')
ORDER BY activity.pid
