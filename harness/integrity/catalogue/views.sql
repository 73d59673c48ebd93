-- Views and foreign tables of this database: a view is read with the rights of its owner, a foreign
-- table with what its server and user mapping hold.
SELECT
    CASE relation.relkind WHEN 'f' THEN 'foreign table' ELSE 'view' END AS kind,
    relation.oid::pg_catalog.regclass::text AS name,
    relation.relowner::bigint AS owner,
    ARRAY(
        SELECT DISTINCT item.grantee::bigint
        FROM pg_catalog.aclexplode(
            coalesce(relation.relacl, pg_catalog.acldefault('r', relation.relowner))
        ) AS item
    ) AS readers,
    (
        SELECT extension.extname::text
        FROM pg_catalog.pg_depend AS belonging
        JOIN pg_catalog.pg_extension AS extension ON extension.oid = belonging.refobjid
        WHERE belonging.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND belonging.objid = relation.oid
          AND belonging.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
          AND belonging.deptype = 'e'
    ) AS extension
FROM pg_catalog.pg_class AS relation
WHERE relation.oid >= 16384
  AND relation.relkind IN ('v', 'f')
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_options_to_table(relation.reloptions)
      WHERE option_name = 'security_invoker' AND option_value::boolean
  )
ORDER BY 2
