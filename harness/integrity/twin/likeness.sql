-- What decides who may do what in one database, as (kind, name, definition). Names are told, never
-- OIDs, so a database and its twin compare. What extensions brought is theirs.
WITH
member AS (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
),
schema AS (
    SELECT oid, nspname::text AS name, nspowner AS owner, nspacl AS acl
    FROM pg_catalog.pg_namespace
    WHERE nspname !~ '^pg_(toast|temp_|toast_temp_)'
),
relation AS (
    SELECT
        class.oid, schema.name || '.' || class.relname AS name, class.relowner AS owner,
        coalesce(
            class.relacl,
            pg_catalog.acldefault(
                CASE class.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, class.relowner
            )
        ) AS acl,
        class.relkind, class.relrowsecurity, class.relforcerowsecurity, class.reloptions,
        schema.name IN ('pg_catalog', 'information_schema') AS is_system
    FROM pg_catalog.pg_class AS class
    JOIN schema ON schema.oid = class.relnamespace
    WHERE class.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      AND NOT EXISTS (
          SELECT FROM member
          WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = class.oid
      )
),
routine AS (
    SELECT
        schema.name || '.' || proc.proname
        || '(' || pg_catalog.pg_get_function_identity_arguments(proc.oid) || ')' AS name,
        proc.proowner AS owner,
        coalesce(proc.proacl, pg_catalog.acldefault('f', proc.proowner)) AS acl,
        pg_catalog.concat_ws(' ', language.lanname, proc.prosecdef, proc.proconfig) AS detail,
        schema.name = 'pg_catalog' AND proc.proacl IS NULL AS is_plain
    FROM pg_catalog.pg_proc AS proc
    JOIN schema ON schema.oid = proc.pronamespace
    JOIN pg_catalog.pg_language AS language ON language.oid = proc.prolang
    WHERE NOT EXISTS (
        SELECT FROM member WHERE classid = 'pg_catalog.pg_proc'::regclass AND objid = proc.oid
    )
),
object (kind, name, owner, acl, detail) AS (
    SELECT
        'schema', name, owner, coalesce(acl, pg_catalog.acldefault('n', owner)), ''
    FROM schema
    UNION ALL
    SELECT
        'relation', name, owner, acl,
        pg_catalog.concat_ws(' ', relkind, relrowsecurity, relforcerowsecurity, reloptions)
    FROM relation
    UNION ALL
    SELECT
        'column', relation.name || '.' || attribute.attname, relation.owner, attribute.attacl, ''
    FROM relation
    JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = relation.oid
    WHERE attribute.attacl IS NOT NULL AND NOT attribute.attisdropped
    UNION ALL
    SELECT 'function', name, owner, acl, detail FROM routine WHERE NOT is_plain
    UNION ALL
    SELECT
        'language', lanname::text, lanowner,
        coalesce(lanacl, pg_catalog.acldefault('l', lanowner)), lanpltrusted::text
    FROM pg_catalog.pg_language
    UNION ALL
    SELECT
        'type', schema.name || '.' || type.typname, type.typowner,
        coalesce(type.typacl, pg_catalog.acldefault('T', type.typowner)), type.typtype::text
    FROM pg_catalog.pg_type AS type
    JOIN schema ON schema.oid = type.typnamespace
    WHERE schema.name NOT IN ('pg_catalog', 'information_schema')
      AND type.typtype IN ('d', 'e', 'r', 'c')
      AND (
          type.typrelid = 0
          OR EXISTS (
              SELECT FROM pg_catalog.pg_class WHERE oid = type.typrelid AND relkind = 'c'
          )
      )
      AND NOT EXISTS (
          SELECT FROM member WHERE classid = 'pg_catalog.pg_type'::regclass AND objid = type.oid
      )
    UNION ALL
    SELECT
        'foreign data wrapper', fdwname::text, fdwowner,
        coalesce(fdwacl, pg_catalog.acldefault('F', fdwowner)), ''
    FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL
    SELECT
        'foreign server', srvname::text, srvowner,
        coalesce(srvacl, pg_catalog.acldefault('S', srvowner)), ''
    FROM pg_catalog.pg_foreign_server
    UNION ALL
    -- No dump tells who owns an extension; whoever restores it does.
    SELECT 'extension', extname::text, 10, '{}', '' FROM pg_catalog.pg_extension
    UNION ALL
    SELECT 'publication', pubname::text, pubowner, '{}', puballtables::text
    FROM pg_catalog.pg_publication
    UNION ALL
    SELECT
        'default rights',
        pg_catalog.concat_ws(
            ' ', defaclobjtype, 'in', coalesce(schema.name, 'every schema'),
            'of', pg_catalog.pg_get_userbyid(defaclrole)
        ),
        defaclrole, defaclacl, ''
    FROM pg_catalog.pg_default_acl
    LEFT JOIN schema ON schema.oid = defaclnamespace
    UNION ALL
    SELECT
        'trigger', relation.name || ' ' || trigger.tgname, relation.owner, '{}',
        pg_catalog.concat_ws(' ', trigger.tgfoid::regproc, trigger.tgenabled)
    FROM pg_catalog.pg_trigger AS trigger
    JOIN relation ON relation.oid = trigger.tgrelid
    WHERE NOT trigger.tgisinternal
    UNION ALL
    SELECT
        'rule', relation.name || ' ' || rule.rulename, relation.owner, '{}', rule.ev_enabled::text
    FROM pg_catalog.pg_rewrite AS rule
    JOIN relation ON relation.oid = rule.ev_class
    WHERE NOT relation.is_system
    UNION ALL
    SELECT
        'policy', relation.name || ' ' || policy.polname, relation.owner, '{}',
        pg_catalog.concat_ws(' ', policy.polcmd, policy.polpermissive, policy.polroles::regrole[])
    FROM pg_catalog.pg_policy AS policy
    JOIN relation ON relation.oid = policy.polrelid
)
SELECT
    kind, name,
    pg_catalog.concat_ws(
        ' ', 'owner', pg_catalog.pg_get_userbyid(owner),
        (
            SELECT pg_catalog.string_agg(item::text, ',' ORDER BY item::text)
            FROM pg_catalog.unnest(acl) AS item
        ),
        detail
    )
FROM object
