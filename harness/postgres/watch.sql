-- What the sessions of these names in this database are at: how many, what they write, and lock.
WITH ours AS (
    SELECT activity.pid, activity.application_name, activity.backend_xid
    FROM pg_catalog.pg_stat_activity AS activity
    WHERE activity.datname = pg_catalog.current_database()
      AND EXISTS (
          SELECT FROM pg_catalog.unnest(%s::text []) AS name
          WHERE pg_catalog.starts_with(activity.application_name, name)
      )
)
SELECT
    (SELECT pg_catalog.count(*) FROM ours) AS sessions,
    EXISTS (SELECT FROM ours WHERE ours.application_name = %s) AS dumping,
    (
        SELECT pg_catalog.array_agg(DISTINCT ours.application_name)
        FROM ours WHERE ours.backend_xid IS NOT NULL
    ) AS writing,
    (
        SELECT pg_catalog.array_agg(DISTINCT held.mode)
        FROM pg_catalog.pg_locks AS held JOIN ours USING (pid)
        WHERE held.locktype <> 'virtualxid'
    ) AS modes,
    (
        SELECT pg_catalog.array_agg(DISTINCT pg_catalog.format(
            '%%s on %%s by %%s',
            held.mode,
            coalesce(held.relation::pg_catalog.regclass::text, held.locktype),
            ours.application_name
        ))
        FROM pg_catalog.pg_locks AS held JOIN ours USING (pid)
        WHERE held.locktype <> 'virtualxid' AND held.mode <> 'AccessShareLock'
    ) AS stronger
