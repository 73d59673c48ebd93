-- What decides who may do what on the whole server, as (kind, name, definition). Shared objects
-- only; databases are those that are named. Passwords and their ends are told by no catalogue.
WITH
role AS (
    SELECT * FROM pg_catalog.pg_roles WHERE rolname <> ALL (%(own_roles)s)
)
SELECT
    'role',
    rolname::text,
    (to_jsonb(role) - ARRAY['oid', 'rolname', 'rolpassword', 'rolvaliduntil', 'rolconfig'])::text
FROM role
UNION ALL
SELECT
    'membership',
    pg_catalog.concat_ws(' ', member.rolname, 'in', pg_catalog.pg_get_userbyid(roleid)),
    pg_catalog.string_agg(
        pg_catalog.concat_ws(
            ' ', 'by', pg_catalog.pg_get_userbyid(grantor),
            to_jsonb(membership) - ARRAY['oid', 'roleid', 'member', 'grantor']
        ),
        ', ' ORDER BY pg_catalog.pg_get_userbyid(grantor)
    )
FROM pg_catalog.pg_auth_members AS membership
JOIN role AS member ON member.oid = membership.member
GROUP BY member.rolname, roleid
UNION ALL
SELECT
    'setting',
    pg_catalog.concat_ws(
        ' ', coalesce(nullif(setting.setrole, 0)::regrole::text, 'every role'),
        'in', coalesce(database.datname, 'every database')
    ),
    pg_catalog.array_to_string(setting.setconfig, ', ')
FROM pg_catalog.pg_db_role_setting AS setting
LEFT JOIN pg_catalog.pg_database AS database ON database.oid = setting.setdatabase
WHERE setting.setdatabase = 0 OR database.datname = ANY (%(databases)s)
UNION ALL
SELECT
    'database',
    datname::text,
    pg_catalog.concat_ws(
        ' ', 'owner', pg_catalog.pg_get_userbyid(datdba),
        (
            SELECT pg_catalog.string_agg(item::text, ',' ORDER BY item::text)
            FROM pg_catalog.unnest(coalesce(datacl, pg_catalog.acldefault('d', datdba))) AS item
        ),
        datistemplate, datallowconn, datconnlimit
    )
FROM pg_catalog.pg_database
WHERE datname = ANY (%(databases)s)
UNION ALL
SELECT
    'tablespace',
    spcname::text,
    pg_catalog.concat_ws(
        ' ', 'owner', pg_catalog.pg_get_userbyid(spcowner),
        (
            SELECT pg_catalog.string_agg(item::text, ',' ORDER BY item::text)
            FROM pg_catalog.unnest(coalesce(spcacl, pg_catalog.acldefault('t', spcowner))) AS item
        )
    )
FROM pg_catalog.pg_tablespace
