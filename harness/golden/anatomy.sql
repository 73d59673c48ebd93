-- What has to be known of tables whose rows are put back: columns, key, triggers, foreign keys.
SELECT
    class.oid::bigint AS oid,
    class.relname::text AS name,
    class.relhasrules AS has_rules,
    class.relforcerowsecurity AS is_forced,
    attributes.columns,
    attributes.insertable,
    attributes.updatable,
    -- The primary key, or else a unique index that leaves no row out and allows no null.
    (
        SELECT pg_catalog.array_agg(attribute.attname::text ORDER BY part.position)
        FROM (
            SELECT idx.indrelid, idx.indkey, idx.indnkeyatts
            FROM pg_catalog.pg_index AS idx
            WHERE idx.indrelid = class.oid
              AND idx.indisunique AND idx.indisvalid AND idx.indpred IS NULL AND idx.indexprs IS NULL
              AND NOT EXISTS (
                  SELECT FROM pg_catalog.pg_attribute AS nullable
                  WHERE nullable.attrelid = class.oid
                    AND nullable.attnum = ANY ((idx.indkey::int2[])[0:idx.indnkeyatts - 1])
                    AND NOT nullable.attnotnull
              )
            ORDER BY idx.indisprimary DESC, idx.indexrelid
            LIMIT 1
        ) AS chosen
        CROSS JOIN LATERAL unnest((chosen.indkey::int2[])[0:chosen.indnkeyatts - 1])
            WITH ORDINALITY AS part (number, position)
        JOIN pg_catalog.pg_attribute AS attribute
          ON attribute.attrelid = chosen.indrelid AND attribute.attnum = part.number
    ) AS key,
    (
        SELECT count(*) FROM pg_catalog.pg_index AS idx
        WHERE idx.indrelid = class.oid AND (idx.indisunique OR idx.indisexclusion)
    ) AS unique_indexes,
    (
        SELECT coalesce(pg_catalog.array_agg(tgname::text || ':' || tgenabled::text ORDER BY tgname), '{}')
        FROM pg_catalog.pg_trigger
        WHERE tgrelid = class.oid AND NOT tgisinternal AND tgenabled <> 'D'
    ) AS triggers,
    keys.rigid,
    keys.referenced
FROM pg_catalog.pg_class AS class
CROSS JOIN LATERAL (
    SELECT
        coalesce(pg_catalog.array_agg(attname::text ORDER BY attnum), '{}') AS columns,
        coalesce(pg_catalog.array_agg(attname::text ORDER BY attnum)
                 FILTER (WHERE attgenerated = ''), '{}') AS insertable,
        coalesce(pg_catalog.array_agg(attname::text ORDER BY attnum)
                 FILTER (WHERE attgenerated = '' AND attidentity <> 'a'), '{}') AS updatable
    FROM pg_catalog.pg_attribute
    WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped
) AS attributes
CROSS JOIN LATERAL (
    SELECT
        coalesce(pg_catalog.array_agg(conname::text ORDER BY conname)
                 FILTER (WHERE NOT condeferrable AND conparentid = 0), '{}') AS rigid,
        coalesce(pg_catalog.array_agg(DISTINCT confrelid::bigint)
                 FILTER (WHERE confrelid <> conrelid), '{}') AS referenced
    FROM pg_catalog.pg_constraint
    WHERE conrelid = class.oid AND contype = 'f'
) AS keys
WHERE class.oid = ANY (%(tables)s)
ORDER BY class.oid
