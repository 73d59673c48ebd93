-- The columns of every table of schema public, by name and number. A column that was dropped and made
-- anew has the same definition and another number, and other values without a page being written;
-- two that have exchanged their names have each other's number.
SELECT
    class.relname::text,
    coalesce(
        pg_catalog.jsonb_object_agg(attribute.attname, attribute.attnum)
            FILTER (WHERE attribute.attname IS NOT NULL),
        '{}'
    )
FROM pg_catalog.pg_class AS class
LEFT JOIN pg_catalog.pg_attribute AS attribute
  ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
WHERE class.relkind = 'r' AND class.relnamespace = 'public'::regnamespace
GROUP BY class.oid, class.relname
