-- Tables to attack: of those whose rights nothing tells apart a few that a row can be made up for,
-- the simplest first. Of each the columns that must have a value and have none by themselves.
WITH
class AS (
    SELECT
        class.*,
        pg_catalog.concat_ws(
            ' ',
            class.relowner, class.relrowsecurity, class.relforcerowsecurity,
            (SELECT nspacl FROM pg_catalog.pg_namespace WHERE oid = class.relnamespace),
            class.relacl,
            (
                SELECT pg_catalog.array_agg(attname || ' ' || attacl::text ORDER BY attnum)
                FROM pg_catalog.pg_attribute
                WHERE attrelid = class.oid AND attacl IS NOT NULL AND NOT attisdropped
            )
        ) AS rights
    FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE class.relkind = 'r'
      AND NOT class.relispartition
      AND namespace.nspname !~ '^(pg_|information_schema$)'
      AND EXISTS (
          SELECT FROM pg_catalog.pg_attribute
          WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped
      )
      -- Some columns can be given no value at all.
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_attribute
          WHERE attrelid = class.oid AND (attgenerated <> '' OR attidentity = 'a')
      )
      -- Code of somebody else must not run on the way.
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_trigger AS trigger
          JOIN pg_catalog.pg_proc AS proc ON proc.oid = trigger.tgfoid
          WHERE trigger.tgrelid = class.oid AND proc.prosecdef
      )
),
needed AS (
    SELECT
        attribute.attrelid, attribute.attnum, attribute.attname::text AS name,
        pg_catalog.format_type(attribute.atttypid, attribute.atttypmod) AS type,
        CASE
            WHEN type.typcategory = 'E' THEN (
                SELECT enumlabel::text FROM pg_catalog.pg_enum
                WHERE enumtypid = type.oid ORDER BY enumsortorder LIMIT 1
            )
            WHEN type.typname IN ('time', 'timetz') THEN '00:00'
            WHEN type.typname IN ('json', 'jsonb') THEN '{}'
            WHEN type.typname = 'uuid' THEN '00000000-0000-0000-0000-000000000000'
            WHEN type.typname = 'point' THEN '(0,0)'
            WHEN type.typcategory = 'N' THEN '1'
            WHEN type.typcategory = 'B' THEN 'true'
            WHEN type.typcategory = 'D' THEN '2000-01-01'
            WHEN type.typcategory = 'T' THEN '1 hour'
            WHEN type.typcategory = 'I' THEN '127.0.0.1'
            WHEN type.typcategory = 'A' THEN '{}'
            WHEN type.typcategory = 'R' THEN 'empty'
            ELSE 'x'
        END AS text
    FROM class
    JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = class.oid
    JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
    WHERE attribute.attnum > 0 AND NOT attribute.attisdropped
      AND attribute.attnotnull AND NOT attribute.atthasdef AND attribute.attidentity = ''
),
ranked AS (
    SELECT
        class.rights, class.relnamespace, class.relname, class.oid,
        pg_catalog.count(*) OVER (PARTITION BY class.rights) AS alike,
        pg_catalog.row_number() OVER (
            PARTITION BY class.rights
            ORDER BY
                -- A key makes it one that other tables can refer to.
                NOT EXISTS (
                    SELECT FROM pg_catalog.pg_constraint
                    WHERE conrelid = class.oid AND contype = 'p'
                ),
                (SELECT pg_catalog.count(*) FROM needed WHERE attrelid = class.oid),
                class.relname
        ) AS place
    FROM class
)
SELECT
    ranked.rights,
    namespace.nspname::text,
    ranked.relname::text,
    (
        -- A right on one column is worth trying; a default may need rights of its own.
        SELECT attname::text FROM pg_catalog.pg_attribute
        WHERE attrelid = ranked.oid AND attnum > 0 AND NOT attisdropped
        ORDER BY attacl IS NULL, atthasdef, attnum LIMIT 1
    ) AS any_column,
    coalesce(pg_catalog.array_agg(needed.name ORDER BY needed.attnum) FILTER (WHERE needed.name IS NOT NULL), '{}'),
    coalesce(pg_catalog.array_agg(needed.type ORDER BY needed.attnum) FILTER (WHERE needed.name IS NOT NULL), '{}'),
    coalesce(pg_catalog.array_agg(needed.text ORDER BY needed.attnum) FILTER (WHERE needed.name IS NOT NULL), '{}')
FROM ranked
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = ranked.relnamespace
LEFT JOIN needed ON needed.attrelid = ranked.oid
WHERE ranked.place <= 5
GROUP BY ranked.rights, ranked.alike, ranked.place, ranked.oid, namespace.nspname, ranked.relname
ORDER BY ranked.alike DESC, ranked.rights, ranked.place
