-- The sequences as years of use leave them. Reference values came with their identifiers, so the
-- sequences of the llx_c_ tables were never called and are behind their columns; so are those of
-- tables that never had a row, and both must stay so in a copy.
DO $do$
DECLARE
  serial record;
  highest bigint;
BEGIN
  FOR serial IN
    SELECT s.oid::regclass AS sequence, t.oid::regclass AS owner, a.attname AS identifier
      FROM pg_catalog.pg_class s
      JOIN pg_catalog.pg_depend d ON d.objid = s.oid AND d.deptype = 'a'
      JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
      JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
     WHERE s.relkind = 'S'
       AND s.relnamespace = 'public'::regnamespace
       AND t.relname NOT LIKE 'llx\_c\_%'
  LOOP
    EXECUTE format('SELECT max(%I) FROM %s', serial.identifier, serial.owner) INTO highest;
    IF highest IS NOT NULL THEN
      PERFORM setval(serial.sequence, highest);
    END IF;
  END LOOP;
END
$do$;

-- Called, and yet behind: an administrator entered one value by hand, the rest was imported.
SELECT setval('llx_c_type_contact_rowid_seq', 2);
-- Ahead of its column: the numbers of transactions that were rolled back.
SELECT setval('llx_bank_rowid_seq', last_value + 17) FROM llx_bank_rowid_seq;
-- Moved, and not called since: the next value is 100 itself.
SELECT setval('llx_usergroup_rowid_seq', 100, false);
