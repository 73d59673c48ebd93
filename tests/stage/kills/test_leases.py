"""Logins that a real Vault leases, to a machine and to pods: its audit log tells what was asked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from harness.credentials.sources import logins
from harness.credentials.vault import setup
from harness.deadlines import Deadline, eventually
from harness.errors import ConfigurationError
from harness.postgres.connection import Run
from harness.settings import Settings
from tests import phases
from tests.settings_file import write_settings
from tests.stage import in_cluster, leases
from tests.stage.kills.trial import Kill, tried
from tests.stage.kills.verbs import command, killed
from tests.stage.platform import NAMES
from tests.vault.administrator import PROD_ROLE, SANDBOX_ROLE
from tests.vault.proof import Proof
from tests.vault.server import MOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stage.kills.ground import Ground
    from tests.vault.server import Server

_SOON = Deadline(15, "Vault ends leases in the background once their token has ended")
_LEASED = [f"{MOUNT}/creds/{role}" for role in (PROD_ROLE, SANDBOX_ROLE)]


@dataclass(frozen=True)
class Leasing:
    """The ground of kills, for commands whose logins are leased.

    Args:
        ground: It; what looks at it between commands has logins of its own.
        settings: Its target, leased by the AppRole.
        vault: The stage's Vault.
    """

    ground: Ground
    settings: Settings
    vault: Server

    def proof(self, since: int = 0) -> Proof:
        return Proof.of(self.vault, self.ground.platform.state["superuser"], since)

    def assert_all_is_well(self, since: int) -> None:
        def must() -> None:
            assert self.proof(since).complaints == []

        eventually(must, _SOON)


@pytest.fixture(scope="module")
def leasing(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leasing]:
    """Machine, Jobs and watchdog lease their logins, as the shipped manifests have it."""
    settings = Settings.live(ground.platform.leased).with_golden(
        directory=ground.settings.golden.directory
    )
    assert settings.vault is not None
    folder = tmp_path_factory.mktemp("leases")
    # Pods are another user, who could not write beside what root has noted.
    own = settings.vault.model_copy(update={"records": folder / "logins"})
    settings = settings.model_copy(update={"vault": own})
    config = write_settings(folder / "vault.toml", settings)
    with leases.reached(ground.stage, ground.platform.state["vault"]) as vault, _told(ground):
        yield Leasing(replace(ground, config=config), settings, vault)


@contextmanager
def _told(ground: Ground) -> Iterator[None]:
    stage, usual = ground.stage, Settings.live(ground.platform.live)
    leased = Settings.live(ground.platform.leased)
    in_cluster.stop_watchdog(stage, NAMES)
    in_cluster.tell(stage, NAMES, leases.in_pods(leased))
    try:
        with in_cluster.watchdog(stage, NAMES):
            yield
    finally:
        in_cluster.tell(stage, NAMES, usual)
        in_cluster.start_watchdog(stage, NAMES)


@pytest.fixture(autouse=True)
def mark(leasing: Leasing) -> Iterator[int]:
    """Where the audit log stood before the test; after it nothing is leased, and prod is as was."""
    since = leasing.vault.mark()
    yield since
    leasing.assert_all_is_well(since)
    assert leasing.ground.prod_changes() == []


def test_a_run_from_a_machine_logs_in_by_its_approle(leasing: Leasing, mark: int) -> None:
    done = command(leasing.ground, "refresh-from-prod")
    assert done.code == 0, done
    assert leasing.ground.content() == "prod"
    leased = [
        entry["request"]["path"]
        for entry in leasing.vault.requests(mark)
        if entry["request"]["path"].startswith(MOUNT)
        # The watchdog looks after the run, too.
        and entry["auth"]["display_name"] == "approle"
    ]
    assert sorted(leased) == _LEASED


def test_a_run_as_a_job_logs_in_as_the_service_account_of_the_manifests(
    leasing: Leasing, mark: int
) -> None:
    done = command(leasing.ground, "reset", "--job")
    assert done.code == 0, done
    assert leasing.ground.content() == "golden"
    who = _accounts_let_in(leasing, mark)
    assert set(who) == {(NAMES.sandbox_namespace, NAMES.service_account)}
    assert NAMES.service_account == setup.NAME


def test_the_watchdog_revokes_what_a_killed_job_has_leased(leasing: Leasing, mark: int) -> None:
    outcome = tried(leasing.ground, Kill("process killed", phases.RESTORE))
    assert outcome.verdict == "ok", outcome
    assert _revoked_by_accessor(leasing, mark) >= 1


def test_the_next_verb_revokes_what_a_killed_run_has_leased(leasing: Leasing, mark: int) -> None:
    ended = killed(leasing.ground, phases.RESTORE, "refresh-from-prod")
    assert ended.code == -9, ended
    assert len(leasing.proof().roles) >= 2
    done = command(leasing.ground, "recover")
    assert done.code == 0, done
    assert leasing.ground.content() == "golden"
    assert _revoked_by_accessor(leasing, mark) >= 1


def _revoked_by_accessor(leasing: Leasing, since: int) -> int:
    return leasing.vault.paths(since).count("auth/token/revoke-accessor")


def test_another_account_of_the_namespace_gets_none(
    leasing: Leasing, mark: int, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(leasing.ground.kubectl("create", "token", "default"), encoding="utf-8")
    settings = leases.in_pods(leasing.settings)
    assert settings.vault is not None
    own = settings.vault.model_copy(update={"token_file": token})
    with (
        pytest.raises(ConfigurationError) as refused,
        logins(settings.model_copy(update={"vault": own}), Run().id),
    ):
        pass
    assert "log in to" in refused.value.what
    # The watchdog may look at the content meanwhile.
    assert set(_accounts_let_in(leasing, mark)) <= {
        (NAMES.sandbox_namespace, NAMES.service_account)
    }


def _accounts_let_in(leasing: Leasing, since: int) -> list[tuple[str, str]]:
    """Namespaces and names of the accounts whose tokens Vault has taken."""
    answers = [
        entry.get("response") or {}
        for entry in leasing.vault.requests(since)
        if entry["request"]["path"] == "auth/kubernetes/login"
    ]
    told = [answer["auth"]["metadata"] for answer in answers if answer.get("auth")]
    return [(each["service_account_namespace"], each["service_account_name"]) for each in told]


def test_since_the_stage_was_started_nobody_asked_for_what_is_not_the_harnesss(
    leasing: Leasing,
) -> None:
    leasing.assert_all_is_well(since=0)
    proof = leasing.proof()
    assert min(proof.entered.values()) > 0
    assert len(proof.logins) > 0
