-- Of each stretch of changed pages of a table: the rows that are fresh, how many are not, and how
-- many the shadow has for it, without those that a reset has put elsewhere. Each is looked up by
-- itself: planned as a join, or as a part of the statement, it would cost more than to read it.
SELECT {name}, stretch.number, here.fresh, here.kept, golden.expected, golden.foreign_rows
FROM unnest({first}::tid[], {beyond}::tid[]) WITH ORDINALITY AS stretch (first, beyond, number)
CROSS JOIN LATERAL (
    SELECT
        coalesce(pg_catalog.array_agg(ctid::text) FILTER (WHERE {fresh}), '{{}}') AS fresh,
        count(*) FILTER (WHERE NOT ({fresh})) AS kept
    FROM ONLY {table} AS stored
    WHERE ctid >= stretch.first AND ctid < stretch.beyond
) AS here
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE ctid <> ALL ({moved_from}::tid[])) AS expected,
        count(*) FILTER (WHERE xmin <> {filler}) AS foreign_rows
    FROM {shadow} AS shadow
    WHERE _place >= stretch.first AND _place < stretch.beyond
) AS golden
