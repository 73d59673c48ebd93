-- The pooler's auth_query: PgBouncer asks it for the password hash of a login that it does not know.
-- The provisioner makes it in each database anew; a copy of prod must neither bring it nor take it.
CREATE FUNCTION public.user_lookup(INOUT username text, OUT password_hash text)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $lookup$
    SELECT shadow.usename::text, shadow.passwd
    FROM pg_catalog.pg_shadow AS shadow
    WHERE shadow.usename = username
$lookup$;
ALTER FUNCTION public.user_lookup(text) OWNER TO provisioner;
REVOKE ALL ON FUNCTION public.user_lookup(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.user_lookup(text) TO pgbouncer;
