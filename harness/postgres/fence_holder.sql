SELECT activity.application_name, activity.usename, activity.backend_start
FROM pg_catalog.pg_locks AS lock
JOIN pg_catalog.pg_stat_activity AS activity USING (pid)
WHERE lock.locktype = 'advisory'
  AND lock.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND lock.classid::bigint = %s
  AND lock.objid::bigint = %s
  AND lock.objsubid = 2
  AND lock.granted
