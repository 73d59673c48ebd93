-- What is neither in schema public, nor the shadow's, nor the system's, and large objects: none of
-- it is in a golden copy. One line each.
WITH elsewhere AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace
    WHERE nspname NOT IN ('public', 'golden', 'information_schema')
      AND nspname !~ '^pg_'
)
SELECT format('schema %s', nspname) FROM elsewhere
UNION ALL
SELECT format('relation %s.%s, file %s', nspname, relname, pg_catalog.pg_relation_filenode(class.oid))
FROM elsewhere JOIN pg_catalog.pg_class AS class ON relnamespace = elsewhere.oid
UNION ALL
SELECT format('function %s.%s', nspname, proname)
FROM elsewhere JOIN pg_catalog.pg_proc ON pronamespace = elsewhere.oid
UNION ALL
SELECT format('type %s.%s', nspname, typname)
FROM elsewhere JOIN pg_catalog.pg_type ON typnamespace = elsewhere.oid
UNION ALL
SELECT format('large object %s', oid) FROM pg_catalog.pg_largeobject_metadata
UNION ALL
SELECT format('extension %s', extname) FROM pg_catalog.pg_extension
UNION ALL
SELECT format('cast from %s to %s', castsource::regtype, casttarget::regtype)
FROM pg_catalog.pg_cast WHERE oid >= 16384
UNION ALL
SELECT format('publication %s', pubname) FROM pg_catalog.pg_publication
UNION ALL
SELECT format('grants on schema public: %s', nspacl) FROM pg_catalog.pg_namespace WHERE nspname = 'public'
ORDER BY 1
