-- Once, as the provisioner, in prod's database: what is dumped can be read, and nothing else done.
CREATE ROLE $read_role NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
GRANT CONNECT ON DATABASE $prod_database TO $read_role;
GRANT USAGE ON SCHEMA public TO $read_role;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO $read_role;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO $read_role;
ALTER DEFAULT PRIVILEGES FOR ROLE $prod_owner IN SCHEMA public GRANT SELECT ON TABLES TO $read_role;
ALTER DEFAULT PRIVILEGES FOR ROLE $prod_owner IN SCHEMA public GRANT SELECT ON SEQUENCES TO $read_role;
