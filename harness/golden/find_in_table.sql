-- The same, by looking at the whole table and the whole shadow.
WITH
moved AS MATERIALIZED (
    SELECT source, place FROM unnest({moved_from}::tid[], {moved_to}::tid[]) AS moved (source, place)
),
kept AS MATERIALIZED (SELECT ctid AS place FROM ONLY {table} WHERE NOT ({fresh})),
expected AS MATERIALIZED (
    SELECT
        shadow.ctid AS source,
        coalesce(moved.place, shadow._place) AS place,
        shadow.xmin AS filler
    FROM {shadow} AS shadow
    LEFT JOIN moved ON moved.source = shadow.ctid
)
SELECT
    ARRAY(SELECT ctid::text FROM ONLY {table} WHERE {fresh}),
    ARRAY(
        SELECT source::text FROM expected
        WHERE NOT EXISTS (SELECT FROM kept WHERE kept.place = expected.place)
    ),
    (SELECT count(*) FROM kept),
    (SELECT count(*) FROM expected),
    (SELECT count(*) FROM expected WHERE filler <> {filler})
