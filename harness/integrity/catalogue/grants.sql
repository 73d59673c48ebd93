-- Grants in this database to any of the roles (0 is PUBLIC) beyond those that every database starts
-- with: PostgreSQL's own defaults, and what initdb or an extension's script has granted.
WITH object (classid, objid, objsubid, kind, letter, owner, acl) AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, 0,
           CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
           CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner, relacl
    FROM pg_catalog.pg_class
    UNION ALL
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, attrelid, attnum, 'TABLE', 'c', relowner, attacl
    FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_class AS class ON class.oid = attrelid
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, 0, 'ROUTINE', 'f', proowner, proacl
    FROM pg_catalog.pg_proc
    UNION ALL
    SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid, 0, 'SCHEMA', 'n', nspowner, nspacl
    FROM pg_catalog.pg_namespace
    UNION ALL
    SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, 0, 'TYPE', 'T', typowner, typacl
    FROM pg_catalog.pg_type
    UNION ALL
    SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, oid, 0, 'LANGUAGE', 'l', lanowner, lanacl
    FROM pg_catalog.pg_language
    UNION ALL
    SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, oid, 0, 'LARGE OBJECT', 'L', lomowner, lomacl
    FROM pg_catalog.pg_largeobject_metadata
    UNION ALL
    SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid, 0, 'FOREIGN DATA WRAPPER', 'F',
           fdwowner, fdwacl
    FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL
    SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, oid, 0, 'FOREIGN SERVER', 'S', srvowner, srvacl
    FROM pg_catalog.pg_foreign_server
),
granted AS (
    SELECT object.classid, object.objid, object.objsubid, object.kind, item.grantee,
           item.privilege_type, item.is_grantable
    FROM object
    CROSS JOIN LATERAL pg_catalog.aclexplode(object.acl) AS item
    LEFT JOIN pg_catalog.pg_init_privs AS initial
        ON initial.classoid = object.classid AND initial.objoid = object.objid
        AND initial.objsubid = object.objsubid
    WHERE object.acl IS NOT NULL
      AND item.grantee = ANY (%(roles)s::bigint[]::pg_catalog.oid[])
      AND item.grantee <> object.owner
      AND (
          NOT EXISTS (
              SELECT FROM pg_catalog.aclexplode(
                  coalesce(initial.initprivs, pg_catalog.acldefault(object.letter, object.owner))
              ) AS usual
              WHERE usual.grantee = item.grantee AND usual.privilege_type = item.privilege_type
          )
          -- Up to 14 every database starts with it, and whoever creates there is found by others.
          OR (object.letter = 'n' AND item.privilege_type = 'CREATE')
      )
)
SELECT
    granted.kind,
    coalesce(whole.schema, '') AS schema,
    CASE granted.kind WHEN 'ROUTINE' THEN granted.objid::pg_catalog.regprocedure::text
                      ELSE whole.identity END AS name,
    coalesce(pg_catalog.quote_ident(attribute.attname), '') AS column,
    granted.grantee::bigint AS grantee,
    pg_catalog.array_agg(DISTINCT granted.privilege_type ORDER BY granted.privilege_type) AS privileges,
    pg_catalog.bool_or(granted.is_grantable) AS is_grantable,
    granted.objid < 16384 AS is_system,
    coalesce(pg_catalog.min(extension.extname::text), '') AS extension
FROM granted
CROSS JOIN LATERAL pg_catalog.pg_identify_object(granted.classid, granted.objid, 0) AS whole
LEFT JOIN pg_catalog.pg_attribute AS attribute
    ON granted.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND granted.objsubid > 0
    AND attribute.attrelid = granted.objid AND attribute.attnum = granted.objsubid
LEFT JOIN pg_catalog.pg_depend AS belonging
    ON belonging.classid = granted.classid AND belonging.objid = granted.objid
    AND belonging.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND belonging.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension AS extension ON extension.oid = belonging.refobjid
-- What initdb grants in information_schema it does not note among the initial privileges.
WHERE NOT (
    granted.grantee = 0 AND granted.objid < 16384 AND granted.privilege_type IN ('SELECT', 'USAGE')
    AND coalesce(whole.schema, whole.identity) = 'information_schema'
)
GROUP BY granted.kind, granted.objid, whole.schema, whole.identity, attribute.attname, granted.grantee
ORDER BY granted.kind, name, attribute.attname, granted.grantee
