-- Who is a member of which role, what the membership allows, and who granted it.
-- The options came with 16: read through jsonb, a column that is not there is NULL. Before, every
-- membership could be inherited and be set.
SELECT
    membership.member::bigint AS member,
    membership.roleid::bigint AS role,
    pg_catalog.bool_or(coalesce((pairs.value ->> 'inherit_option')::boolean, true)) AS inherits,
    pg_catalog.bool_or(coalesce((pairs.value ->> 'set_option')::boolean, true)) AS sets,
    pg_catalog.bool_or(membership.admin_option) AS administers,
    pg_catalog.array_agg(membership.grantor::bigint ORDER BY membership.grantor) AS grantors
FROM pg_catalog.pg_auth_members AS membership
CROSS JOIN LATERAL pg_catalog.to_jsonb(membership) AS pairs (value)
GROUP BY membership.member, membership.roleid
ORDER BY membership.member, membership.roleid
