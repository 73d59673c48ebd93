-- Of each changed page of a table: the rows that are fresh, how many are not, and how many the shadow
-- has for it, without those that a reset has put elsewhere. A page is looked up by itself: planned as
-- a join, or as a part of the statement, it would cost more than to read it.
SELECT {name}, page.number, here.fresh, here.kept, golden.expected, golden.foreign_rows
FROM unnest({pages}::bigint[]) AS page (number)
CROSS JOIN LATERAL (
    SELECT
        coalesce(pg_catalog.array_agg(ctid::text) FILTER (WHERE {fresh}), '{{}}') AS fresh,
        count(*) FILTER (WHERE NOT ({fresh})) AS kept
    FROM ONLY {table} AS stored
    WHERE ctid >= pg_catalog.format('(%s,0)', page.number)::tid
      AND ctid < pg_catalog.format('(%s,0)', page.number + 1)::tid
) AS here
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE ctid <> ALL ({moved_from}::tid[])) AS expected,
        count(*) FILTER (WHERE xmin <> {filler}) AS foreign_rows
    FROM {shadow} AS shadow
    WHERE _place >= pg_catalog.format('(%s,0)', page.number)::tid
      AND _place < pg_catalog.format('(%s,0)', page.number + 1)::tid
) AS golden
