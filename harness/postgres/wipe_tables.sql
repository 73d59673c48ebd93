-- Tables of the owner role in this database, those of no extension, partitions after their parent
-- (which takes them along).
SELECT namespace.nspname::text, class.relname::text
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.relkind IN ('r', 'p')
  AND pg_catalog.pg_get_userbyid(class.relowner) = %s
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend AS member
      WHERE member.classid = 'pg_catalog.pg_class'::regclass
        AND member.objid = class.oid
        AND member.deptype = 'e'
  )
ORDER BY class.relispartition DESC, class.oid
