-- The objects of this database, and those that all databases share, that roles own or are named in:
-- the same as `holdings.sql`, one by one and by name.
SELECT
    dependency.refobjid::bigint AS role,
    dependency.dbid = 0 AS is_shared,
    dependency.deptype::text AS how,
    coalesce(class.relname::text, dependency.classid::text) AS class_name,
    coalesce(identity.type, 'object') AS kind,
    coalesce(identity.schema, '') AS schema,
    CASE dependency.classid
        WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass
            THEN dependency.objid::pg_catalog.regprocedure::text
        ELSE coalesce(identity.identity, dependency.objid::text)
    END AS name,
    -- Where it can be altered: a subscription is shared by all databases, and yet in one of them.
    coalesce(home.datname, pg_catalog.current_database())::text AS home
FROM pg_catalog.pg_shdepend AS dependency
LEFT JOIN pg_catalog.pg_database AS database ON database.oid = dependency.dbid
LEFT JOIN pg_catalog.pg_class AS class ON class.oid = dependency.classid
LEFT JOIN pg_catalog.pg_subscription AS subscription
    ON dependency.classid = 'pg_catalog.pg_subscription'::pg_catalog.regclass
    AND subscription.oid = dependency.objid
LEFT JOIN pg_catalog.pg_database AS home ON home.oid = subscription.subdbid
-- It fails for a class that it does not know, and finds nothing for no object.
CROSS JOIN LATERAL pg_catalog.pg_identify_object(
    CASE WHEN class.relname = ANY (%(classes)s::text[]) THEN dependency.classid
         ELSE 'pg_catalog.pg_class'::pg_catalog.regclass END,
    CASE WHEN class.relname = ANY (%(classes)s::text[]) THEN dependency.objid ELSE 0 END,
    CASE WHEN class.relname = ANY (%(classes)s::text[]) THEN dependency.objsubid ELSE 0 END
) AS identity
WHERE dependency.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
  AND dependency.deptype <> 'p'  -- up to 14: pinned, so no object at all
  AND dependency.refobjid = ANY (%(roles)s::bigint[]::pg_catalog.oid[])
  AND (dependency.dbid = 0 OR database.datname = pg_catalog.current_database())
  -- The sequence of a column goes with its table.
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend AS belonging
      WHERE belonging.classid = dependency.classid AND belonging.objid = dependency.objid
        AND belonging.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND belonging.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND belonging.refobjsubid > 0 AND belonging.deptype IN ('a', 'i')
  )
ORDER BY 1, 3, 5, 7
