-- Rows of one table, or of its shadow, by place, each with its key and a digest of its content.
-- Content is compared as text, as the fingerprint does it: not every type has an equality, and 1.0
-- is not 1.00.
SELECT
    {name}, {is_now}, ctid::text, {key},
    pg_catalog.sha256(pg_catalog.convert_to(ROW({columns})::text, 'UTF8'))
FROM ONLY {rows} WHERE ctid = ANY ({places}::tid[])
