-- Every table with a modification time keeps it by trigger. Tables of extra fields do not: the ERP
-- writes them together with the object that they extend.
DO $do$
DECLARE
  stamped name;
BEGIN
  FOR stamped IN
    SELECT c.relname
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tms'
     WHERE c.relnamespace = 'public'::regnamespace
       AND c.relkind = 'r'
       AND c.relname NOT LIKE '%\_extrafields'
     ORDER BY c.relname
  LOOP
    EXECUTE format(
      'CREATE TRIGGER update_customer_modtime BEFORE UPDATE ON public.%I'
      ' FOR EACH ROW EXECUTE FUNCTION public.update_modified_column_tms()',
      stamped
    );
  END LOOP;
END
$do$;
