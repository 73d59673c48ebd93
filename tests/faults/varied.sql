-- Beside the tables that a run needs to be one: something of every kind that a copy can lose.
CREATE FUNCTION public.note_time() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN NEW.tms := now(); RETURN NEW; END$$;

CREATE TABLE public.llx_bank_url (
    rowid serial PRIMARY KEY,
    label varchar(255),
    fk_soc int,
    visible int DEFAULT 1 NOT NULL,
    weight numeric,
    tms timestamp,
    CONSTRAINT fk_bank_url_soc FOREIGN KEY (fk_soc) REFERENCES public.llx_societe (rowid)
);
CREATE INDEX idx_bank_url_soc ON public.llx_bank_url (fk_soc);
CREATE TRIGGER bank_url_time BEFORE UPDATE ON public.llx_bank_url
    FOR EACH ROW EXECUTE FUNCTION public.note_time();
INSERT INTO public.llx_bank_url (label, fk_soc, weight)
    SELECT 'Reçu n° ' || n, 1 + n % 50, n + 0.5 FROM generate_series(1, 196) n;

-- Without a primary key, as some tables of Dolibarr are.
CREATE TABLE public.llx_user_param (
    fk_user int NOT NULL,
    param varchar(64) NOT NULL,
    value text
);
CREATE UNIQUE INDEX uk_user_param ON public.llx_user_param (fk_user, param);
INSERT INTO public.llx_user_param
    SELECT n, 'MAIN_LANG_DEFAULT', 'fr_FR' FROM generate_series(1, 20) n;
