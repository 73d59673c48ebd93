-- Functions of this database that do more than their caller may: those that run as their owner, and
-- those in languages that reach outside the database.
SELECT
    routine.oid::pg_catalog.regprocedure::text AS name,
    routine.proowner::bigint AS owner,
    routine.prosecdef AS runs_as_owner,
    language.lanname::text AS language,
    language.lanpltrusted OR language.lanname = 'internal' AS is_trusted,
    (
        SELECT pg_catalog.substr(item.pair, pg_catalog.strpos(item.pair, '=') + 1)
        FROM pg_catalog.unnest(routine.proconfig) AS item (pair)
        WHERE item.pair LIKE 'search\_path=%%'
    ) AS search_path,
    ARRAY(
        SELECT item.grantee::bigint
        FROM pg_catalog.aclexplode(
            coalesce(routine.proacl, pg_catalog.acldefault('f', routine.proowner))
        ) AS item
        WHERE item.grantee <> routine.proowner
    ) AS callers,
    (
        SELECT extension.extname::text
        FROM pg_catalog.pg_depend AS belonging
        JOIN pg_catalog.pg_extension AS extension ON extension.oid = belonging.refobjid
        WHERE belonging.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
          AND belonging.objid = routine.oid
          AND belonging.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
          AND belonging.deptype = 'e'
    ) AS extension
FROM pg_catalog.pg_proc AS routine
JOIN pg_catalog.pg_language AS language ON language.oid = routine.prolang
WHERE routine.prosecdef
   OR (routine.oid >= 16384 AND NOT language.lanpltrusted AND language.lanname <> 'internal')
ORDER BY 1
