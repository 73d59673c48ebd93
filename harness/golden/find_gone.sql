-- Which rows of the shadow are not in their place any more, in stretches of pages that hold fewer
-- than it has for them. A row that is not fresh is the one that was there: a place is only given anew
-- to a row whose transaction is at or above the threshold. OFFSET: a join would read whole tables.
SELECT {name}, golden.source::text
FROM (
    SELECT shadow.source, shadow.place
    FROM unnest({first}::tid[], {beyond}::tid[]) AS stretch (first, beyond)
    CROSS JOIN LATERAL (
        SELECT ctid AS source, _place AS place FROM {shadow} AS shadow
        WHERE _place >= stretch.first AND _place < stretch.beyond AND ctid <> ALL ({moved_from}::tid[])
        OFFSET 0
    ) AS shadow
    UNION ALL
    SELECT source, place FROM unnest({moved_from}::tid[], {moved_to}::tid[]) AS moved (source, place)
) AS golden
WHERE NOT EXISTS (
    SELECT FROM ONLY {table} AS stored WHERE ctid = golden.place AND NOT ({fresh}) OFFSET 0
)
