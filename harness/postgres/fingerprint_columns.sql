-- Tables of schema public that hold rows, the largest first, each with its columns by name.
SELECT
    class.relname::text,
    coalesce(
        pg_catalog.array_agg(attribute.attname::text ORDER BY attribute.attname)
            FILTER (WHERE attribute.attname IS NOT NULL),
        '{}'
    )
FROM pg_catalog.pg_class AS class
LEFT JOIN pg_catalog.pg_attribute AS attribute
  ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
WHERE class.relnamespace = 'public'::regnamespace
  AND class.relkind IN ('r', 'm')
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend AS member
      WHERE member.classid = 'pg_catalog.pg_class'::regclass
        AND member.objid = class.oid
        AND member.deptype = 'e'
  )
GROUP BY class.oid, class.relname
ORDER BY pg_catalog.pg_relation_size(class.oid) DESC, class.relname
