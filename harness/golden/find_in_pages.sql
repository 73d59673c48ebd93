-- Which rows on the changed pages are fresh, and which rows of the shadow are not in their place
-- any more. A row that is not fresh is the one that was there: a place is only given anew to a row
-- whose transaction is at or above the threshold.
WITH
here AS MATERIALIZED ({here}),
moved AS MATERIALIZED (
    SELECT source, place FROM unnest({moved_from}::tid[], {moved_to}::tid[]) AS moved (source, place)
),
expected AS MATERIALIZED (
    SELECT shadow.ctid AS source, shadow._place AS place, shadow.xmin AS filler
    FROM {shadow} AS shadow
    WHERE ({expected})
      AND NOT EXISTS (SELECT FROM moved WHERE moved.source = shadow.ctid)
    UNION ALL
    SELECT shadow.ctid, moved.place, shadow.xmin
    FROM moved JOIN {shadow} AS shadow ON shadow.ctid = moved.source
)
SELECT
    ARRAY(SELECT place::text FROM here WHERE is_fresh),
    ARRAY(
        SELECT source::text FROM expected
        WHERE NOT EXISTS (
            SELECT FROM here WHERE NOT here.is_fresh AND here.place = expected.place
        )
    ),
    (SELECT count(*) FROM here WHERE NOT is_fresh),
    (SELECT count(*) FROM expected),
    (SELECT count(*) FROM expected WHERE filler <> {filler})
