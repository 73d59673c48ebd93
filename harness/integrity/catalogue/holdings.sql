-- What roles own or are named in, on the whole server. Every kind of object is noted here, in every
-- database, so a kind that nobody knows yet cannot hide.
SELECT
    dependency.refobjid::bigint AS role,
    database.datname::text AS database,
    dependency.deptype::text AS how,
    coalesce(class.relname::text, dependency.classid::text) AS class_name,
    count(*) AS number
FROM pg_catalog.pg_shdepend AS dependency
LEFT JOIN pg_catalog.pg_database AS database ON database.oid = dependency.dbid
LEFT JOIN pg_catalog.pg_class AS class ON class.oid = dependency.classid
WHERE dependency.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
  AND dependency.deptype <> 'p'  -- up to 14: pinned, so no object at all
  AND dependency.refobjid = ANY (%(roles)s::bigint[]::pg_catalog.oid[])
GROUP BY dependency.refobjid, database.datname, dependency.deptype, class.relname, dependency.classid
ORDER BY 1, 2 NULLS FIRST, 3, 4
