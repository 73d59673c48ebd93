-- Pair fresh rows of the table with rows of the shadow that are not in their place: first those of
-- the same content, one by one, then those of the same key. Content is compared as text, as the
-- fingerprint does it: not every type has an equality, and 1.0 is not 1.00.
WITH
now AS (
    SELECT
        place, key, digest,
        pg_catalog.row_number() OVER (PARTITION BY digest ORDER BY place) AS copy
    FROM (
        SELECT
            row_now.ctid AS place,
            {key} AS key,
            pg_catalog.sha256(pg_catalog.convert_to(ROW({columns})::text, 'UTF8')) AS digest
        FROM ONLY {table} AS row_now
        WHERE ctid = ANY ({fresh}::tid[])
    ) AS hashed
),
was AS (
    SELECT
        source, key, digest,
        pg_catalog.row_number() OVER (PARTITION BY digest ORDER BY source) AS copy
    FROM (
        SELECT
            row_was.ctid AS source,
            {key} AS key,
            pg_catalog.sha256(pg_catalog.convert_to(ROW({columns})::text, 'UTF8')) AS digest
        FROM {shadow} AS row_was
        WHERE ctid = ANY ({gone}::tid[])
    ) AS hashed
),
by_content AS MATERIALIZED (
    SELECT place, now.key AS key_now, source, was.key AS key_was
    FROM now FULL JOIN was USING (digest, copy)
)
SELECT place::text, source::text, true AS is_same
FROM by_content
WHERE place IS NOT NULL AND source IS NOT NULL
UNION ALL
SELECT fresh.place::text, gone.source::text, false
FROM (SELECT place, key_now FROM by_content WHERE source IS NULL) AS fresh
FULL JOIN (SELECT source, key_was FROM by_content WHERE place IS NULL) AS gone
  ON fresh.key_now = gone.key_was
