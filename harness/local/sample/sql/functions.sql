-- The helper functions by which the ERP makes PostgreSQL answer to the dialect of MySQL.

CREATE FUNCTION year(moment timestamp without time zone) RETURNS integer
  LANGUAGE sql IMMUTABLE AS $$ SELECT extract(year FROM moment)::integer $$;
CREATE FUNCTION year(moment timestamp with time zone) RETURNS integer
  LANGUAGE sql STABLE AS $$ SELECT extract(year FROM moment)::integer $$;
CREATE FUNCTION year(moment date) RETURNS integer
  LANGUAGE sql IMMUTABLE AS $$ SELECT extract(year FROM moment)::integer $$;

CREATE FUNCTION month(moment timestamp without time zone) RETURNS integer
  LANGUAGE sql IMMUTABLE AS $$ SELECT extract(month FROM moment)::integer $$;
CREATE FUNCTION month(moment timestamp with time zone) RETURNS integer
  LANGUAGE sql STABLE AS $$ SELECT extract(month FROM moment)::integer $$;
CREATE FUNCTION month(moment date) RETURNS integer
  LANGUAGE sql IMMUTABLE AS $$ SELECT extract(month FROM moment)::integer $$;

CREATE FUNCTION day(moment timestamp without time zone) RETURNS integer
  LANGUAGE sql IMMUTABLE AS $$ SELECT extract(day FROM moment)::integer $$;
CREATE FUNCTION day(moment timestamp with time zone) RETURNS integer
  LANGUAGE sql STABLE AS $$ SELECT extract(day FROM moment)::integer $$;
CREATE FUNCTION day(moment date) RETURNS integer
  LANGUAGE sql IMMUTABLE AS $$ SELECT extract(day FROM moment)::integer $$;

CREATE FUNCTION unix_timestamp(moment timestamp without time zone) RETURNS bigint
  LANGUAGE sql IMMUTABLE AS $$ SELECT floor(extract(epoch FROM moment))::bigint $$;
CREATE FUNCTION unix_timestamp(moment timestamp with time zone) RETURNS bigint
  LANGUAGE sql IMMUTABLE AS $$ SELECT floor(extract(epoch FROM moment))::bigint $$;

-- Understands the specifiers that reports use; any other text passes through as it is.
CREATE FUNCTION date_format(moment timestamp without time zone, pattern text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
  specifiers CONSTANT text[] := ARRAY['%Y', '%y', '%m', '%d', '%H', '%i', '%s', '%j', '%%'];
  templates  CONSTANT text[] := ARRAY['YYYY', 'YY', 'MM', 'DD', 'HH24', 'MI', 'SS', 'DDD', '"%"'];
  answer text := '';
  piece text;
  place integer;
BEGIN
  FOR piece IN SELECT part[1] FROM regexp_matches(pattern, '%.|[^%]+|%$', 'g') AS part LOOP
    place := array_position(specifiers, piece);
    answer := answer ||
      CASE WHEN place IS NULL THEN piece ELSE to_char(moment, templates[place]) END;
  END LOOP;
  RETURN answer;
END
$body$;

CREATE FUNCTION date_format(moment timestamp with time zone, pattern text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE AS $body$
BEGIN
  RETURN public.date_format(moment::timestamp without time zone, pattern);
END
$body$;

CREATE FUNCTION update_modified_column_tms() RETURNS trigger
  LANGUAGE plpgsql AS $body$
BEGIN
  NEW.tms := now();
  RETURN NEW;
END
$body$;

-- What an administrator runs after an import: every serial sequence up to its column's maximum.
CREATE FUNCTION dol_util_rebuild_sequences() RETURNS integer
  LANGUAGE plpgsql AS $body$
DECLARE
  serial record;
  highest bigint;
  rebuilt integer := 0;
BEGIN
  FOR serial IN
    SELECT d.objid::regclass AS sequence, d.refobjid::regclass AS owner, a.attname AS identifier
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'
      JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.deptype = 'a' AND c.relnamespace = 'public'::regnamespace
  LOOP
    EXECUTE format('SELECT max(%I) FROM %s', serial.identifier, serial.owner) INTO highest;
    IF highest IS NOT NULL THEN
      PERFORM setval(serial.sequence, highest);
      rebuilt := rebuilt + 1;
    END IF;
  END LOOP;
  RETURN rebuilt;
END
$body$;

CREATE FUNCTION dol_util_triggerall(doenable boolean) RETURNS integer
  LANGUAGE plpgsql AS $body$
DECLARE
  stamped regclass;
  switched integer := 0;
BEGIN
  FOR stamped IN
    SELECT t.tgrelid::regclass
      FROM pg_catalog.pg_trigger t
     WHERE t.tgname = 'update_customer_modtime'
  LOOP
    EXECUTE format(
      'ALTER TABLE %s %s TRIGGER update_customer_modtime',
      stamped, CASE WHEN doenable THEN 'ENABLE' ELSE 'DISABLE' END
    );
    switched := switched + 1;
  END LOOP;
  RETURN switched;
END
$body$;
