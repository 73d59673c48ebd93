"""The verb `audit`: every plane asked in seconds, red for what nobody has accepted, and told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import ConfigurationError, FailedError
from harness.integrity.attempted import NOTHING_ATTEMPTED
from harness.integrity.closure import closure
from harness.integrity.guarantees import (
    LOCKS,
    NO_DATABASE,
    ONLY_SANDBOX,
    POLICY,
    READ_ONLY,
    RUNNER,
    SHARED,
    TITLES,
    UNDROPPABLE,
)
from harness.integrity.report.making import Answers, report_of
from harness.lifecycle.audit import audit
from harness.postgres.connection import Run
from harness.progress import Silent
from harness.sides import Prod, Sandbox
from tests.local.cluster.conftest import admin, stand_in, world
from tests.local.cluster.test_access import grant, rule
from tests.settings_file import as_toml

from .quickest import quickest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.integrity.report.model import Report
    from harness.local.platform import LocalPlatform
    from harness.settings import Settings
    from tests.local.cluster.world import World

__all__ = ["admin", "stand_in", "world"]

ACCEPTED = (
    "kubernetes/15/admission policy",
    "kubernetes/15/network policies",
    "postgresql/14/connection slots",
    "postgresql/14/entries of the shared lock table",
    "postgresql/14/temporary files",
)


def approved(path: Path, *ids: str, expires: str = "2099-12-31") -> Path:
    """A list of what is accepted."""
    entries = (
        f'[[accepted]]\nid = "{each}"\nreason = "a test"\ndate = 2020-01-01\nexpires = {expires}\n'
        for each in ids
    )
    path.write_text("".join(entries))
    return path


@pytest.fixture
def target(platform: LocalPlatform, world: World, tmp_path: Path) -> Settings:
    """A platform, a cluster, and a list of what is accepted there."""
    return with_cluster(platform.settings, world, tmp_path)


def with_cluster(settings: Settings, world: World, folder: Path) -> Settings:
    world.make_application()
    accepted = approved(folder / "approved.toml", *ACCEPTED)
    checks = settings.checks.model_copy(update={"approved": accepted})
    return settings.model_copy(update={"cluster": world.settings, "checks": checks})


@pytest.fixture
def open_path(platform: LocalPlatform) -> Iterator[str]:
    """The sandbox's owner is made a member of prod's."""
    roles = [sql.Identifier(side.of(platform.settings).owner_role) for side in (Prod, Sandbox)]
    with psycopg.connect(platform.superuser.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("GRANT {} TO {}").format(*roles))
        yield Sandbox.of(platform.settings).owner_role
        connection.execute(sql.SQL("REVOKE {} FROM {}").format(*roles))


def asked(settings: Settings) -> Report:
    return audit(settings, Silent(), attempts=False)


def command(tmp_path: Path, settings: Settings, *options: str) -> Any:
    config = tmp_path / "target.toml"
    config.write_text(as_toml(settings))
    where = ["audit", "--target=live", f"--sandbox-config={config}", "--no-attempts"]
    return CliRunner().invoke(app, [*where, *options])


def test_a_sound_target_is_green_in_three_seconds(
    wide: LocalPlatform, world: World, tmp_path: Path
) -> None:
    target = with_cluster(wide.settings, world, tmp_path)
    report, seconds = quickest(lambda: asked(target))
    assert seconds < 3
    assert (report.findings, report.unproven) == ((), ())
    assert sorted(each.id for each in report.approvals) == sorted(ACCEPTED)
    assert tuple(each.title for each in report.guarantees) == TITLES
    assert report.guarantee(UNDROPPABLE).holds
    assert report.guarantee(POLICY).verdict == "not proven"
    assert report.approvals_for(report.guarantee(POLICY))[0].reason == "a test"
    assert report.target.databases[:2] == ("erp", "erp-sandbox")
    assert report.attempts is None
    assert "no attempt was made" in report.not_looked_at[-1]
    assert {each.plane for each in report.identities} == {"postgresql", "kubernetes"}


def test_with_attempts_it_is_proven_on_a_twin(target: Settings) -> None:
    report = audit(target, Silent(), attempts=True)
    assert (report.findings, report.unproven) == ((), ())
    assert report.attempts is not None
    assert len(report.attempts.made) > 400
    assert {each.group for each in report.attempts.made} == set(range(1, 15))
    for title in (READ_ONLY, ONLY_SANDBOX, NO_DATABASE, UNDROPPABLE, LOCKS):
        assert report.guarantee(title).proof == "proven by attempt on a twin"
        assert report.guarantee(title).holds
    assert report.guarantee(SHARED).verdict == "not proven"
    assert "no attempt was made" not in " ".join(report.not_looked_at)


def test_a_path_that_is_open_is_walked_on_the_twin(target: Settings, open_path: str) -> None:
    report = audit(target, Silent(), attempts=True)
    assert report.attempts is not None
    walked = {each.name for each in report.attempts.successes}
    assert "drop prod" in walked
    names = {each.id for each in report.findings}
    assert {f"attempt: {name}" for name in walked} <= names
    assert f"postgresql/2/{open_path}" in " ".join(names)
    assert report.guarantee(UNDROPPABLE).verdict == "broken"


def test_it_takes_no_lease_and_leaves_nothing(target: Settings, world: World) -> None:
    before = world.get(world.lease)
    asked(target)
    assert world.get(world.lease) == before


def test_a_path_in_postgresql_is_red_with_its_chain(target: Settings, open_path: str) -> None:
    report = asked(target)
    assert not report.is_green
    assert report.guarantee(UNDROPPABLE).verdict == "broken"
    assert any(each.chain[0] == open_path for each in report.findings)
    assert all(each.closes for each in report.findings)


def test_where_prod_may_be_entered_its_locks_may_be_taken(
    target: Settings, platform: LocalPlatform
) -> None:
    with psycopg.connect(platform.superuser.conninfo, autocommit=True) as connection:
        connection.execute("GRANT CONNECT ON DATABASE erp TO PUBLIC")
        try:
            report = asked(target)
        finally:
            connection.execute("REVOKE CONNECT ON DATABASE erp FROM PUBLIC")
    assert "postgresql/5/PUBLIC/CONNECT on database erp" in {each.id for each in report.findings}
    assert [each.id for each in report.unproven] == ["postgresql/14/locks on prod's objects"]
    assert report.guarantee(LOCKS).verdict == "not proven"


def test_a_session_on_prod_that_starts_read_write_is_red(target: Settings) -> None:
    login = Prod.of(target).login.user
    audited = closure(target, Run())
    for starts_read_only, proof in ((True, "holds"), (False, "broken")):
        answers = Answers(target, audited, starts_read_only, None, NOTHING_ATTEMPTED)
        report = report_of(answers, (), {})
        assert report.guarantee(READ_ONLY).verdict == proof
        assert [each.id for each in report.findings] == (
            [] if starts_read_only else [f"postgresql/11/{login}/default_transaction_read_only"]
        )


def test_a_right_in_the_cluster_is_red(target: Settings, world: World) -> None:
    grant(world, world.settings.prod_namespace, rule("create", "batch", "jobs"))
    report = asked(target)
    name = f"kubernetes/15/may create jobs.batch in {world.settings.prod_namespace}"
    assert [each.id for each in report.findings] == [name]
    assert report.guarantee(RUNNER).against == (name,)
    assert report.guarantee(ONLY_SANDBOX).holds


def test_a_right_of_whoever_starts_jobs_is_red_outside_the_sandbox(
    target: Settings, world: World
) -> None:
    """Its rights in the sandbox's own namespace are its work."""
    settings = target.model_copy(update={"cluster": world.with_starter()})
    assert asked(settings).findings == ()
    starter = f"{world.settings.service_account}-jobs"
    grant(world, world.settings.prod_namespace, rule("create", "", "secrets"), account=starter)
    report = asked(settings)
    name = f"kubernetes/15/may create secrets in {world.settings.prod_namespace}"
    assert [each.id for each in report.findings] == [name]
    assert f":{starter} may create secrets" in report.findings[0].what
    assert report.guarantee(RUNNER).against == (name,)


def test_what_is_accepted_no_longer_is_open(target: Settings, tmp_path: Path) -> None:
    approved(tmp_path / "approved.toml", *ACCEPTED, "postgresql/1/gone", expires="2020-01-02")
    report = asked(target)
    assert not report.is_green
    assert sorted(each.id for each in report.unproven) == sorted(ACCEPTED)
    assert sorted(report.expired) == sorted([*ACCEPTED, "postgresql/1/gone"])
    assert report.stale == ("postgresql/1/gone",)


def test_without_a_cluster_it_is_said_that_nobody_was_asked(target: Settings) -> None:
    report = asked(target.model_copy(update={"cluster": None}))
    assert [each.id for each in report.unproven] == ["kubernetes/15/cluster"]
    assert report.guarantee(RUNNER).verdict == "not proven"


def test_a_list_that_is_not_usable_ends_it_before_anything_is_asked(
    target: Settings, tmp_path: Path
) -> None:
    approved(tmp_path / "approved.toml", "postgresql/*")
    with pytest.raises(ConfigurationError, match="looks like a pattern"):
        asked(target)
    assert command(tmp_path, target).exit_code == 2


def test_a_cluster_that_does_not_answer_proves_nothing(target: Settings, world: World) -> None:
    impatient = target.model_copy(update={"deadline_scale": 0.02})
    world.fault("status", path="selfsubjectrulesreviews", times=999)
    with pytest.raises(FailedError, match="cannot serve create selfsubjectrulesreviews"):
        asked(impatient)


def test_the_command_ends_with_0_where_all_is_well(target: Settings, tmp_path: Path) -> None:
    ended = command(tmp_path, target)
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.startswith("audit      green: ")


@pytest.mark.usefixtures("open_path")
def test_the_command_ends_with_1_and_prints_the_whole_report(
    target: Settings, tmp_path: Path
) -> None:
    ended = command(tmp_path, target, "--format=json")
    assert ended.exit_code == 1
    told = json.loads(ended.stdout)
    assert told["verdict"] == "red"
    assert told["findings"][0]["closes"]


@pytest.mark.parametrize(
    ("name", "options", "begins"),
    [
        ("report.html", (), "<!DOCTYPE html>"),
        ("report.json", (), "{"),
        ("report", (), "audit      green"),
        ("report.html", ("--format=json",), "{"),
    ],
)
def test_a_report_in_a_file_is_for_its_owner_alone(
    target: Settings, tmp_path: Path, name: str, options: tuple[str, ...], begins: str
) -> None:
    path = tmp_path / name
    path.write_text("an older one")
    path.chmod(0o644)
    ended = command(tmp_path, target, *options, f"--output={path}")
    assert ended.exit_code == 0, ended.output
    assert path.read_text().startswith(begins)
    assert path.stat().st_mode & 0o777 == 0o600
    assert ended.stdout.startswith("green: ")


def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(
    target: Settings, tmp_path: Path
) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "report.html"):
        ended = command(tmp_path, target, f"--output={path}")
        assert ended.exit_code == 2
        assert "no report can be written" in ended.stderr
