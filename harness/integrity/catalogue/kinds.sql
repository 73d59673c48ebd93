-- Every kind of thing in this database, to be compared with the kinds that the audit knows.
SELECT 'a column of grants' AS what, attribute.attrelid::pg_catalog.regclass || '.' || attribute.attname AS name
FROM pg_catalog.pg_attribute AS attribute
JOIN pg_catalog.pg_class AS class ON class.oid = attribute.attrelid
WHERE attribute.atttypid = 'pg_catalog.aclitem[]'::pg_catalog.regtype
  AND class.relkind = 'r'
  AND class.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND NOT attribute.attisdropped
UNION ALL
SELECT 'an owner', reference.fktable::text || '.' || pg_catalog.array_to_string(reference.fkcols, ',')
FROM pg_catalog.pg_get_catalog_foreign_keys() AS reference
WHERE reference.pktable = 'pg_catalog.pg_authid'::pg_catalog.regclass
UNION ALL
SELECT DISTINCT 'a relation of kind', relkind::text FROM pg_catalog.pg_class
UNION ALL
SELECT DISTINCT 'a function of kind', prokind::text FROM pg_catalog.pg_proc
UNION ALL
SELECT DISTINCT 'default privileges of kind', defaclobjtype::text FROM pg_catalog.pg_default_acl
ORDER BY 1, 2
