-- What has to be known of a database before a twin of it can be made. One row.
WITH member AS (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
),
relation AS (
    SELECT class.oid, class.relkind, namespace.nspname, class.relname, namespace.oid AS namespace
    FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE class.relkind IN ('r', 'p')
      AND namespace.nspname NOT LIKE 'pg\_%'
      AND namespace.nspname <> 'information_schema'
      AND NOT EXISTS (
          SELECT FROM member
          WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = class.oid
      )
)
SELECT
    (SELECT rolname::text FROM pg_catalog.pg_roles WHERE oid = 10) AS bootstrap,
    (
        SELECT coalesce(pg_catalog.array_agg(extname::text ORDER BY extname), '{}')
        FROM pg_catalog.pg_extension
    ) AS extensions,
    (
        -- Code of the machine that the server runs on; to make one is to load it.
        SELECT coalesce(pg_catalog.array_agg(namespace.nspname || ' ' || proc.proname), '{}')
        FROM pg_catalog.pg_proc AS proc
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = proc.pronamespace
        JOIN pg_catalog.pg_language AS language ON language.oid = proc.prolang
        WHERE language.lanname = 'c'
          AND namespace.nspname <> 'pg_catalog'
          AND NOT EXISTS (
              SELECT FROM member
              WHERE classid = 'pg_catalog.pg_proc'::regclass AND objid = proc.oid
          )
    ) AS native_functions,
    (
        -- To make one is to compute its expressions, whatever function they call.
        SELECT coalesce(pg_catalog.array_agg(relation.nspname || ' ' || relation.relname), '{}')
        FROM relation
        JOIN pg_catalog.pg_partitioned_table AS partitioned ON partitioned.partrelid = relation.oid
        WHERE partitioned.partexprs IS NOT NULL
    ) AS computed_partitions,
    (
        -- pg_dump locks each table that it describes, for which it needs a right to read it.
        SELECT coalesce(
            pg_catalog.array_agg(pg_catalog.concat(
                '"', replace(nspname, '"', '""'), '"."', replace(relname, '"', '""'), '"'
            )), '{}'
        )
        FROM relation
        WHERE NOT (
            pg_catalog.has_schema_privilege(namespace, 'USAGE')
            AND pg_catalog.has_table_privilege(oid, 'SELECT')
        )
    ) AS unreadable,
    (
        -- As the server has them: what a role or a database sets comes with them.
        SELECT pg_catalog.jsonb_object_agg(
            name,
            CASE
                WHEN source IN ('user', 'database', 'database user', 'global') THEN boot_val
                ELSE setting
            END
        )
        FROM pg_catalog.pg_settings
        WHERE name IN (
            'max_connections', 'max_prepared_transactions', 'superuser_reserved_connections',
            'temp_file_limit', 'wal_level'
        )
    ) AS settings,
    (
        -- Databases that any login starts from, and who may connect to each: '' is everybody.
        SELECT pg_catalog.jsonb_object_agg(
            database.datname,
            (
                SELECT coalesce(
                    pg_catalog.jsonb_agg(
                        CASE WHEN entry.grantee = 0 THEN ''
                        ELSE pg_catalog.pg_get_userbyid(entry.grantee)::text END
                    ),
                    '[]'
                )
                FROM pg_catalog.aclexplode(
                    coalesce(database.datacl, pg_catalog.acldefault('d', database.datdba))
                ) AS entry
                WHERE entry.privilege_type = 'CONNECT'
            )
        )
        FROM pg_catalog.pg_database AS database
        WHERE database.datname IN ('postgres', 'template1')
    ) AS entrances
