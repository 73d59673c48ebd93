-- Every object of schema public, as (kind, name, definition), less what extensions brought and the
-- provisioner's own functions. Names and definitions hold no OID, so two databases compare.
WITH
schema_public AS (
    SELECT 'public'::regnamespace::oid AS oid
),
extension_member AS (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
),
relation AS (
    SELECT class.*
    FROM pg_catalog.pg_class AS class, schema_public
    WHERE class.relnamespace = schema_public.oid
      AND NOT EXISTS (
          SELECT FROM extension_member
          WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = class.oid
      )
),
routine AS (
    SELECT proc.*, format('%%s(%%s)', proc.proname, pg_catalog.pg_get_function_identity_arguments(proc.oid)) AS name
    FROM pg_catalog.pg_proc AS proc, schema_public
    WHERE proc.pronamespace = schema_public.oid
      AND proc.proname <> ALL (%(provisioner_functions)s)
      AND NOT EXISTS (
          SELECT FROM extension_member
          WHERE classid = 'pg_catalog.pg_proc'::regclass AND objid = proc.oid
      )
),
-- Types of its own, that is neither a table's row type nor an array.
own_type AS (
    SELECT type.*
    FROM pg_catalog.pg_type AS type, schema_public
    WHERE type.typnamespace = schema_public.oid
      AND type.typtype IN ('e', 'd', 'r', 'm', 'c')
      AND (type.typrelid = 0 OR EXISTS (SELECT FROM relation WHERE oid = type.typrelid AND relkind = 'c'))
      AND NOT EXISTS (
          SELECT FROM extension_member
          WHERE classid = 'pg_catalog.pg_type'::regclass AND objid = type.oid
      )
)
SELECT
    CASE relkind
        WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'c' THEN 'composite type' WHEN 'f' THEN 'foreign table' ELSE 'table'
    END AS kind,
    relname::text AS name,
    concat_ws(
        ' ',
        relkind, relpersistence, relreplident, relrowsecurity, relforcerowsecurity, reloptions::text,
        pg_catalog.pg_get_partkeydef(oid), pg_catalog.pg_get_expr(relpartbound, oid),
        (
            SELECT 'inherits ' || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
            FROM pg_catalog.pg_inherits WHERE inhrelid = relation.oid
        ),
        CASE WHEN relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(oid) END,
        (
            SELECT concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)
            FROM pg_catalog.pg_sequence WHERE seqrelid = relation.oid
        ),
        (
            SELECT format('owned by %%s.%%I', refobjid::regclass, attname)
            FROM pg_catalog.pg_depend
            JOIN pg_catalog.pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
            WHERE relkind = 'S' AND classid = 'pg_catalog.pg_class'::regclass AND objid = relation.oid
              AND deptype IN ('a', 'i')
        )
    ) AS definition
FROM relation
WHERE relkind NOT IN ('i', 'I', 't')

UNION ALL
SELECT
    'column',
    format('%%s.%%s', relation.relname, attribute.attname),
    concat_ws(
        ' ',
        pg_catalog.format_type(attribute.atttypid, attribute.atttypmod),
        CASE WHEN attribute.attnotnull THEN 'not null' END,
        CASE WHEN attribute.attidentity <> '' THEN 'identity ' || attribute.attidentity::text END,
        CASE WHEN attribute.attgenerated <> '' THEN 'generated ' || attribute.attgenerated::text END,
        CASE WHEN attribute.attcollation <> type.typcollation THEN 'collate ' || attribute.attcollation::regcollation::text END,
        'default ' || pg_catalog.pg_get_expr(initial.adbin, initial.adrelid)
    )
FROM relation
JOIN pg_catalog.pg_attribute AS attribute
  ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS initial
  ON initial.adrelid = relation.oid AND initial.adnum = attribute.attnum
WHERE relation.relkind IN ('r', 'p', 'f', 'c')

UNION ALL
SELECT
    'constraint',
    format('%%s on %%s', con.conname, coalesce(relation.relname, con.contypid::regtype::text)),
    pg_catalog.pg_get_constraintdef(con.oid)
    || CASE WHEN con.convalidated THEN '' ELSE ' (not validated)' END
FROM pg_catalog.pg_constraint AS con
LEFT JOIN relation ON relation.oid = con.conrelid
WHERE relation.oid IS NOT NULL OR con.contypid IN (SELECT oid FROM own_type)

UNION ALL
SELECT
    'index',
    relation.relname::text,
    pg_catalog.pg_get_indexdef(relation.oid)
    || concat_ws(
        ' ',
        '',
        CASE WHEN NOT idx.indisvalid THEN 'invalid' END,
        CASE WHEN idx.indisclustered THEN 'clustered' END,
        CASE WHEN idx.indisreplident THEN 'replica identity' END
    )
FROM relation
JOIN pg_catalog.pg_index AS idx ON idx.indexrelid = relation.oid

UNION ALL
SELECT
    'trigger',
    format('%%s on %%s', trigger.tgname, relation.relname),
    format('%%s enabled %%s', pg_catalog.pg_get_triggerdef(trigger.oid), trigger.tgenabled)
FROM pg_catalog.pg_trigger AS trigger
JOIN relation ON relation.oid = trigger.tgrelid
WHERE NOT trigger.tgisinternal

UNION ALL
SELECT
    'rule',
    format('%%s on %%s', rule.rulename, relation.relname),
    format('%%s enabled %%s', pg_catalog.pg_get_ruledef(rule.oid), rule.ev_enabled)
FROM pg_catalog.pg_rewrite AS rule
JOIN relation ON relation.oid = rule.ev_class
WHERE rule.rulename <> '_RETURN'

UNION ALL
SELECT
    'policy',
    format('%%s on %%s', policy.polname, relation.relname),
    concat_ws(
        ' ', policy.polcmd, policy.polpermissive, policy.polroles::regrole[]::text,
        pg_catalog.pg_get_expr(policy.polqual, policy.polrelid),
        pg_catalog.pg_get_expr(policy.polwithcheck, policy.polrelid)
    )
FROM pg_catalog.pg_policy AS policy
JOIN relation ON relation.oid = policy.polrelid

UNION ALL
SELECT 'function', routine.name, pg_catalog.pg_get_functiondef(routine.oid)
FROM routine
WHERE routine.prokind <> 'a'

UNION ALL
SELECT
    'aggregate',
    routine.name,
    concat_ws(' ', aggregate.aggtransfn, aggregate.aggfinalfn, aggregate.aggtranstype::regtype, aggregate.agginitval)
FROM routine
JOIN pg_catalog.pg_aggregate AS aggregate ON aggregate.aggfnoid = routine.oid

UNION ALL
SELECT
    'type',
    own_type.typname::text,
    concat_ws(
        ' ',
        own_type.typtype,
        (
            SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
            FROM pg_catalog.pg_enum WHERE enumtypid = own_type.oid
        ),
        CASE WHEN own_type.typtype = 'd' THEN
            concat_ws(' ', pg_catalog.format_type(own_type.typbasetype, own_type.typtypmod),
                      own_type.typnotnull, own_type.typdefault)
        END,
        (SELECT rngsubtype::regtype::text FROM pg_catalog.pg_range WHERE rngtypid = own_type.oid)
    )
FROM own_type

UNION ALL
SELECT 'statistics', stxname::text, pg_catalog.pg_get_statisticsobjdef(statistics.oid)
FROM pg_catalog.pg_statistic_ext AS statistics, schema_public
WHERE stxnamespace = schema_public.oid

UNION ALL
-- What Dolibarr has none of: that it is there must show, its definition need not.
SELECT 'other object', format('%%s %%s', object.type, object.identity), ''
FROM (
    SELECT 'pg_catalog.pg_operator'::regclass AS classid, oid FROM pg_catalog.pg_operator WHERE oprnamespace = 'public'::regnamespace
    UNION ALL SELECT 'pg_catalog.pg_opclass'::regclass, oid FROM pg_catalog.pg_opclass WHERE opcnamespace = 'public'::regnamespace
    UNION ALL SELECT 'pg_catalog.pg_opfamily'::regclass, oid FROM pg_catalog.pg_opfamily WHERE opfnamespace = 'public'::regnamespace
    UNION ALL SELECT 'pg_catalog.pg_collation'::regclass, oid FROM pg_catalog.pg_collation WHERE collnamespace = 'public'::regnamespace
    UNION ALL SELECT 'pg_catalog.pg_conversion'::regclass, oid FROM pg_catalog.pg_conversion WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'pg_catalog.pg_ts_config'::regclass, oid FROM pg_catalog.pg_ts_config WHERE cfgnamespace = 'public'::regnamespace
    UNION ALL SELECT 'pg_catalog.pg_ts_dict'::regclass, oid FROM pg_catalog.pg_ts_dict WHERE dictnamespace = 'public'::regnamespace
    UNION ALL SELECT 'pg_catalog.pg_ts_parser'::regclass, oid FROM pg_catalog.pg_ts_parser WHERE prsnamespace = 'public'::regnamespace
    UNION ALL SELECT 'pg_catalog.pg_ts_template'::regclass, oid FROM pg_catalog.pg_ts_template WHERE tmplnamespace = 'public'::regnamespace
) AS other
CROSS JOIN LATERAL pg_catalog.pg_identify_object(other.classid, other.oid, 0) AS object
WHERE NOT EXISTS (
    SELECT FROM extension_member WHERE classid = other.classid AND objid = other.oid
)

UNION ALL
SELECT
    'comment',
    format('%%s %%s', object.type, object.identity),
    description.description
FROM pg_catalog.pg_description AS description
CROSS JOIN LATERAL pg_catalog.pg_identify_object(description.classoid, description.objoid, description.objsubid) AS object
WHERE (
        description.classoid = 'pg_catalog.pg_class'::regclass
        AND description.objoid IN (SELECT oid FROM relation)
    )
   OR (description.classoid = 'pg_catalog.pg_proc'::regclass AND description.objoid IN (SELECT oid FROM routine))
   OR (
        description.classoid = 'pg_catalog.pg_constraint'::regclass
        AND description.objoid IN (SELECT oid FROM pg_catalog.pg_constraint WHERE conrelid IN (SELECT oid FROM relation))
    )
   OR (
        description.classoid = 'pg_catalog.pg_trigger'::regclass
        AND description.objoid IN (SELECT oid FROM pg_catalog.pg_trigger WHERE tgrelid IN (SELECT oid FROM relation))
    )

UNION ALL
-- The owner's name differs between the sides, and so do its implicit rights; both are left out.
SELECT
    'grant',
    format('%%s to %%s', granted.object, CASE entry.grantee WHEN 0 THEN 'PUBLIC' ELSE entry.grantee::regrole::text END),
    string_agg(entry.privilege_type || CASE WHEN entry.is_grantable THEN '*' ELSE '' END, ', ' ORDER BY entry.privilege_type)
FROM (
    SELECT format('relation %%s', relname) AS object, relacl AS acl, relowner AS owner FROM relation
    UNION ALL
    SELECT format('column %%s.%%s', relation.relname, attname), attacl, relation.relowner
    FROM relation JOIN pg_catalog.pg_attribute ON attrelid = relation.oid
    UNION ALL
    SELECT format('function %%s', name), proacl, proowner FROM routine
    UNION ALL
    SELECT format('type %%s', typname), typacl, typowner FROM own_type
    UNION ALL
    SELECT format('default for %%s in %%s', defaclobjtype, coalesce(nullif(defaclnamespace, 0)::regnamespace::text, 'every schema')), defaclacl, defaclrole
    FROM pg_catalog.pg_default_acl
    WHERE defaclrole = (SELECT datdba FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
) AS granted
CROSS JOIN LATERAL pg_catalog.aclexplode(granted.acl) AS entry
WHERE entry.grantee <> granted.owner
GROUP BY 1, 2

ORDER BY 1, 2
