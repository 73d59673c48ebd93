-- The way of finding changes that was not chosen: each statement notes the keys of the rows that it
-- wrote, by statement triggers with transition tables. As cheap as such triggers can be: the notes
-- are unlogged, without an index, and may name a key more than once.
CREATE SCHEMA noted;
CREATE UNLOGGED TABLE noted.keys (of_table oid NOT NULL, key bigint NOT NULL);

DO $do$
DECLARE
  written record;
BEGIN
  FOR written IN
    SELECT c.oid::regclass AS name, c.oid AS id, a.attname AS key
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indnatts = 1
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
     WHERE c.oid = ANY ({tables}::regclass[])
  LOOP
    EXECUTE format(
      'CREATE FUNCTION noted.%I() RETURNS trigger LANGUAGE plpgsql AS $body$
       BEGIN
         INSERT INTO noted.keys SELECT %s, %I FROM written;
         RETURN NULL;
       END $body$',
      'insert_' || written.id, written.id, written.key
    );
    -- The key itself may have been updated: what it was belongs to the notes too.
    EXECUTE format(
      'CREATE FUNCTION noted.%I() RETURNS trigger LANGUAGE plpgsql AS $body$
       BEGIN
         INSERT INTO noted.keys SELECT %s, %I FROM written UNION SELECT %2$s, %3$I FROM before;
         RETURN NULL;
       END $body$',
      'update_' || written.id, written.id, written.key
    );
    EXECUTE format(
      'CREATE TRIGGER note_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS written
       FOR EACH STATEMENT EXECUTE FUNCTION noted.%I()',
      written.name, 'insert_' || written.id
    );
    EXECUTE format(
      'CREATE TRIGGER note_update AFTER UPDATE ON %s
       REFERENCING NEW TABLE AS written OLD TABLE AS before
       FOR EACH STATEMENT EXECUTE FUNCTION noted.%I()',
      written.name, 'update_' || written.id
    );
    EXECUTE format(
      'CREATE TRIGGER note_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS written
       FOR EACH STATEMENT EXECUTE FUNCTION noted.%I()',
      written.name, 'insert_' || written.id
    );
  END LOOP;
END
$do$;
