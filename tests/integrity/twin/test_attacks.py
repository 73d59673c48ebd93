"""Every attempt is refused on a sound platform, and succeeds where it is planted that it can."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from harness.deadlines import Deadlines
from harness.integrity.attacks import names
from harness.integrity.attacks.attempts import as_findings, as_unproven, attempt_all
from harness.integrity.attacks.catalogue import REFUSED, catalogue
from harness.integrity.attacks.prod_watch import ProdWatch
from harness.integrity.attacks.state import Guard
from harness.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.integrity.attacks.attempts import Attempt
    from harness.integrity.twin.server import Twin

# PostgreSQL has no limit for the first, and the local platform states none for the others.
WITHOUT_LIMIT = {
    "fill the shared lock table",
    "take every connection slot",
    "fill the disk with temporary files",
}
# Most rights in a database are worth nothing to whoever may not enter it.
CONNECT = (
    "GRANT CONNECT ON DATABASE {prod} TO {login}",
    "REVOKE CONNECT ON DATABASE {prod} FROM {login}",
)


def attempt(twin: Twin, *only: str) -> tuple[Attempt, ...]:
    return attempt_all(twin, Deadlines(), Silent(), only=only)


def statements(twin: Twin, *texts: str) -> list[sql.Composed]:
    login = {"login": sql.Identifier(twin.blueprint.sandbox.side.login.user)}
    known = next(names.of_twin(twin).variants(frozenset()))
    return [sql.SQL(text).format(**{**known, **login}) for text in texts]


@contextmanager
def planted(twin: Twin, plants: list[str], removes: list[str]) -> Iterator[None]:
    """Something that is wrong, in prod's database of the twin; each statement by itself."""
    filled = statements(twin, *plants, *removes)
    with twin.administer() as admin:
        try:
            for each in filled[: len(plants)]:
                admin.execute(each)
            yield
        finally:
            for each in filled[len(plants) :]:
                admin.execute(each)


def test_on_a_sound_platform_nothing_succeeds(attempts: tuple[Attempt, ...]) -> None:
    assert [str(each) for each in attempts if each.verdict == "open"] == []
    assert as_findings(attempts) == []


def test_whoever_attempts_it_makes_every_attempt(twin: Twin, attempts: tuple[Attempt, ...]) -> None:
    known = [a for a in catalogue() if a.since <= twin.blueprint.major]
    for identity in twin.identities():
        made = {each.name for each in attempts if each.identity == str(identity)}
        assert made >= {attack.name for attack in known if attack.by == identity.of}
    assert len({str(identity) for identity in twin.identities()}) == 5


def test_what_nothing_bounds_is_told_as_unproven(attempts: tuple[Attempt, ...]) -> None:
    unbounded = {each.name for each in attempts if each.verdict == "no limit stated"}
    assert unbounded == WITHOUT_LIMIT
    assert {each.id for each in as_unproven(attempts)} == {f"attempt: {n}" for n in WITHOUT_LIMIT}
    assert all("none stated" in each.why for each in as_unproven(attempts))


def test_no_report_shows_a_password(twin: Twin, attempts: tuple[Attempt, ...]) -> None:
    assert twin.prod.password
    for each in attempts:
        assert twin.prod.password not in str(each)
    (dblink, *_) = (each for each in attempts if each.name == "reach prod by dblink")
    assert "password=***" in dblink.statement


def test_with_prods_door_open_what_is_behind_it_is_still_refused(twin: Twin) -> None:
    behind = [a.name for a in catalogue() if a.database == "prod" and a.by == "sandbox"]
    with planted(
        twin,
        ["GRANT CONNECT ON DATABASE {prod} TO PUBLIC"],
        ["REVOKE CONNECT ON DATABASE {prod} FROM PUBLIC"],
    ):
        made = attempt(twin, *behind)
    (finding,) = as_findings(made)
    assert finding.id == "attempt: connect to prod"
    assert finding.closes == 'REVOKE CONNECT ON DATABASE "erp" FROM PUBLIC'
    refused = [each for each in made if each.name != "connect to prod"]
    assert not [each for each in refused if REFUSED in each.got]


def granted(right: str, attack: str, *, enters: bool = False, since: int = 14) -> Any:
    """Something granted to a leased login, which makes one attempt of its own succeed."""
    plants, removes = [f"GRANT {right} TO {{login}}"], [f"REVOKE {right} FROM {{login}}"]
    if enters:
        plants, removes = [*plants, CONNECT[0]], [*removes, CONNECT[1]]
    return pytest.param(plants, removes, attack, since, id=f"{right}: {attack}")


def attribute(name: str, attack: str) -> Any:
    plants, removes = [f"ALTER ROLE {{login}} {name}"], [f"ALTER ROLE {{login}} NO{name}"]
    return pytest.param(plants, removes, attack, 14, id=f"{name}: {attack}")


def owned(what: str, attack: str) -> Any:
    plants = [f"ALTER {what} OWNER TO {{login}}", CONNECT[0]]
    removes = [f"ALTER {what} OWNER TO {{prod_owner}}", CONNECT[1]]
    return pytest.param(plants, removes, attack, 14, id=f"{what}: {attack}")


@pytest.mark.parametrize(
    ("plants", "removes", "attack", "since"),
    [
        owned("DATABASE {prod}", "let nobody connect to prod"),
        owned("DATABASE {prod}", "set prod's search path"),
        owned("DATABASE {prod}", "comment on prod"),
        owned("TABLE {table}", "drop a table of prod"),
        owned("TABLE {table}", "put a trigger on a table of prod"),
        owned("LARGE OBJECT {large_object}", "drop a large object of prod's"),
        granted("{prod_owner}", "drop a table of prod"),
        granted("{prod_owner}", "be granted what prod's owner will make"),
        attribute("SUPERUSER", "become a superuser"),
        attribute("SUPERUSER", "change the server's own tables"),
        attribute("SUPERUSER", "load a library"),
        attribute("REPLICATION", "stream the server's changes"),
        granted("pg_write_all_data", "update prod", enters=True),
        granted("pg_write_all_data", "delete from prod", enters=True),
        granted("pg_read_all_data", "read prod", enters=True),
        granted("pg_execute_server_program", "run a program by COPY FROM"),
        granted("pg_signal_backend", "end every session of prod"),
        granted("pg_signal_backend", "cancel prod's statement"),
        granted("pg_create_subscription", "subscribe to prod", since=16),
        granted("pg_maintain", "rewrite a table of prod", enters=True, since=17),
        granted("CREATE ON DATABASE {prod}", "make a schema in prod", enters=True),
        granted("CREATE ON SCHEMA public", "make a table in prod", enters=True),
        granted("CREATE ON SCHEMA public", "make a function in prod", enters=True),
        granted("INSERT ON {table}", "insert into prod", enters=True),
        granted("UPDATE ON {table}", "update prod", enters=True),
        granted("TRUNCATE ON {table}", "truncate a table of prod", enters=True),
        granted("TRIGGER ON {table}", "put a trigger on a table of prod", enters=True),
        granted("UPDATE ({column}) ON {table}", "update prod", enters=True),
        granted("USAGE ON SEQUENCE {sequence}", "take a number of prod's", enters=True),
        granted("UPDATE ON SEQUENCE {sequence}", "set a sequence of prod's", enters=True),
        granted("SELECT, UPDATE ON LARGE OBJECT {large_object}",
                "write to a large object of prod's", enters=True),
        granted("SELECT ON {table}", "let prod's changes of tables queue", enters=True),
        granted("EXECUTE ON FUNCTION public.user_lookup(text)",
                "call a function of prod that runs as its owner", enters=True),
        granted("CREATE ON TABLESPACE pg_global", "be granted a tablespace"),
        granted("SET ON PARAMETER zero_damaged_pages", "read damaged pages as empty ones",
                since=15),
        granted("SET ON PARAMETER session_replication_role", "set what only superusers set",
                since=15),
    ],
)  # fmt: skip
def test_what_is_planted_succeeds(
    twin: Twin, plants: list[str], removes: list[str], attack: str, since: int
) -> None:
    if twin.blueprint.major < since:
        pytest.skip(f"PostgreSQL {twin.blueprint.major} knows no such right")
    with planted(twin, plants, removes):
        made = attempt(twin, attack)
    (finding,) = [each for each in as_findings(made) if each.id == f"attempt: {attack}"]
    assert any("leased login" in step for step in finding.chain)
    succeeded = next(each for each in made if each.verdict == "open")
    assert finding.chain[-1] == succeeded.statement


@pytest.mark.parametrize(
    ("harm", "undo", "told"),
    [
        ("ALTER ROLE {prod_owner} LOGIN", "ALTER ROLE {prod_owner} NOLOGIN", "pg_authid"),
        ("GRANT {prod_owner} TO {login}", "REVOKE {prod_owner} FROM {login}", "pg_auth_members"),
        ("ALTER DATABASE {prod} CONNECTION LIMIT 9", "ALTER DATABASE {prod} CONNECTION LIMIT -1",
         "pg_database"),
        ("ALTER ROLE {login} SET work_mem TO '1MB'", "ALTER ROLE {login} RESET work_mem",
         "pg_db_role_setting"),
        ("COMMENT ON ROLE {prod_owner} IS 'mine'", "COMMENT ON ROLE {prod_owner} IS NULL",
         "pg_shdescription"),
        ("ALTER SYSTEM SET work_mem TO '5MB'", "ALTER SYSTEM RESET work_mem", "configuration"),
        ("SELECT pg_create_physical_replication_slot('mine')",
         "SELECT pg_drop_replication_slot('mine')", "replication slots"),
        ("SELECT pg_stat_reset()", "SELECT 1", "statistics of databases"),
        ("DELETE FROM {table}", "SELECT 1", "rows of "),
        ("ALTER TABLE {table} ADD COLUMN stranger int", "ALTER TABLE {table} DROP COLUMN stranger",
         "pg_attribute"),
        ("GRANT SELECT ON {table} TO {login}", "REVOKE SELECT ON {table} FROM {login}", "pg_class"),
        ("ANALYZE {table}", "SELECT 1", "pg_statistic"),
        ("CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql RETURN 1",
         "DROP FUNCTION public.mine()", "pg_proc"),
        ("SELECT lo_put({large_object}, 0, 'mine')", "SELECT 1", "pg_largeobject"),
    ],
)  # fmt: skip
def test_whatever_happens_to_prod_is_noticed(twin: Twin, harm: str, undo: str, told: str) -> None:
    does, undoes = statements(twin, harm, undo)
    with twin.administer() as watching, twin.administer() as harming:
        guard = Guard(watching, names.of_twin(twin).made_up.tables)
        assert guard.changed() == []
        try:
            harming.execute(does)
            assert [name for name in guard.changed() if name.startswith(told)]
            guard.accept()
            assert guard.changed() == []
        finally:
            harming.execute(undoes)


def test_a_number_taken_from_a_sequence_is_noticed_in_the_end(twin: Twin) -> None:
    with twin.administer() as admin:
        guard = Guard(admin, ())
        before = guard.everything()
        admin.execute(*statements(twin, "SELECT nextval({sequence_name})"))
        after = guard.everything()
    (changed,) = (name for name in after if after[name] != before[name])
    assert changed.startswith("sequence ")


def test_prod_hears_and_keeps_what_only_prod_should(twin: Twin) -> None:
    with ExitStack() as undo:
        watch = ProdWatch(twin, undo)
        assert watch.harm() == []
        admin = undo.enter_context(twin.administer())
        admin.execute("NOTIFY prod")
        assert watch.harm() == ["prod was notified"]
        admin.execute(sql.SQL("SELECT pg_terminate_backend({}, 5000)").format(watch.pid()))
        assert watch.harm() == ["a session of prod's was ended"]
        assert watch.harm() == []


LIMITED = (
    "ALTER ROLE {login} CONNECTION LIMIT 4",
    "ALTER ROLE {login} SET temp_file_limit TO '64kB'",
)
UNLIMITED = ("ALTER ROLE {login} CONNECTION LIMIT -1", "ALTER ROLE {login} RESET temp_file_limit")


def test_a_limit_that_is_stated_bounds_the_effect(twin: Twin) -> None:
    names_of = ("take every connection slot", "fill the disk with temporary files")
    with planted(twin, [*LIMITED], [*UNLIMITED]):
        made = attempt(twin, *names_of)
    limited = {
        each.name: each
        for each in made
        if each.login == twin.blueprint.attackers[0] and "leased login" in each.identity
    }
    slots, files = (limited[name] for name in names_of)
    assert slots.got == "bounded effect: 6 sessions of 97, and prod still got in"
    assert files.got == "bounded effect: 64 kB for each session, where it was stopped"
    assert slots.holds
    assert files.holds
