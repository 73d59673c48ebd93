-- Logins that are the sandbox's: those that are named, and every other one that could act as its
-- owner. Of several that nothing tells apart one is returned, a named one first, and their number.
WITH RECURSIVE
member (oid) AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolname = %(owner)s
    UNION
    SELECT membership.member
    FROM pg_catalog.pg_auth_members AS membership
    JOIN member ON member.oid = membership.roleid
),
login AS (
    SELECT
        role.rolname::text AS name,
        coalesce(pg_catalog.array_position(%(named)s::text[], role.rolname::text), 99) AS place,
        pg_catalog.concat_ws(
            ' ',
            to_jsonb(role) - ARRAY['oid', 'rolname', 'rolvaliduntil', 'rolconfig'],
            (
                SELECT pg_catalog.array_agg(
                    (to_jsonb(membership) - ARRAY['oid', 'member', 'grantor'])::text ORDER BY 1
                )
                FROM pg_catalog.pg_auth_members AS membership WHERE membership.member = role.oid
            ),
            (
                -- What is granted to it, or belongs to it, itself.
                SELECT pg_catalog.array_agg(
                    pg_catalog.concat_ws(' ', dbid, classid, objid, objsubid, deptype) ORDER BY 1
                )
                FROM pg_catalog.pg_shdepend
                WHERE refclassid = 'pg_catalog.pg_authid'::regclass AND refobjid = role.oid
            ),
            (
                SELECT pg_catalog.array_agg(
                    pg_catalog.concat_ws(' ', setdatabase, setconfig) ORDER BY 1
                )
                FROM pg_catalog.pg_db_role_setting WHERE setrole = role.oid
            )
        ) AS shape
    FROM pg_catalog.pg_roles AS role
    WHERE role.rolcanlogin
      AND role.rolname <> ALL (%(made)s)
      AND (
          role.rolname = ANY (%(named)s)
          OR (role.oid IN (SELECT oid FROM member) AND NOT role.rolsuper)
      )
)
SELECT (pg_catalog.array_agg(name ORDER BY place, name))[1], pg_catalog.count(*)
FROM login
GROUP BY shape
ORDER BY pg_catalog.min(place), 1
