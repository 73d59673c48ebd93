-- Every table of schema public that holds rows, with what tells whether it was written: where its
-- rows lie, how many vacuums it and its shadow have had, and what its counters count.
SELECT
    class.relname::text AS name,
    class.oid::bigint AS oid,
    pg_catalog.pg_relation_filenode(class.oid)::bigint AS filenode,
    (
        coalesce(pg_catalog.pg_stat_get_vacuum_count(class.oid), 0)
        + coalesce(pg_catalog.pg_stat_get_autovacuum_count(class.oid), 0)
    )::bigint AS vacuums,
    (
        coalesce(pg_catalog.pg_stat_get_tuples_inserted(class.oid), 0)
        + coalesce(pg_catalog.pg_stat_get_tuples_updated(class.oid), 0)
        + coalesce(pg_catalog.pg_stat_get_tuples_deleted(class.oid), 0)
    )::bigint AS written,
    coalesce(shadow.oid, 0)::bigint AS shadow_oid,
    (
        coalesce(pg_catalog.pg_stat_get_vacuum_count(shadow.oid), 0)
        + coalesce(pg_catalog.pg_stat_get_autovacuum_count(shadow.oid), 0)
    )::bigint AS shadow_vacuums
FROM pg_catalog.pg_class AS class
LEFT JOIN pg_catalog.pg_class AS shadow
  ON shadow.relname = class.relname
  AND shadow.relkind = 'r'
  AND shadow.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'golden')
WHERE class.relkind = 'r'
  AND class.relnamespace = 'public'::regnamespace
  AND class.oid NOT IN (
      SELECT member.objid FROM pg_catalog.pg_depend AS member
      WHERE member.refclassid = 'pg_catalog.pg_extension'::regclass
        AND member.classid = 'pg_catalog.pg_class'::regclass
        AND member.deptype = 'e'
  )
ORDER BY class.oid
