"""Logins are leased for one run, kept alive while it goes on, and revoked however it ends."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.credentials.sources import logins
from harness.credentials.vault import setup
from harness.deadlines import Deadline, eventually
from harness.errors import LifecycleError, UndoOutstandingError
from harness.lifecycle.recover import recover
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.status import status
from harness.postgres.connection import Run
from harness.progress import Silent
from harness.sides import Prod, Sandbox

from .administrator import FORBIDDEN, PROD_ROLE, SANDBOX_ROLE
from .place import SHORT
from .server import MOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .place import Place

REFRESH, RESET = "refresh-from-prod", "reset"
RESTORE = "restore"
LEASED = {f"{MOUNT}/creds/{role}" for role in (PROD_ROLE, SANDBOX_ROLE)}
_SOON = Deadline(10, "a second on an idle machine")


@pytest.fixture
def mark(place: Place) -> int:
    """Where the audit log stood before the test."""
    return place.vault.mark()


def leased_paths(place: Place, mark: int) -> set[str]:
    return {path for path in place.vault.paths(mark) if path.startswith(f"{MOUNT}/")}


def test_a_run_leases_its_two_logins_and_nothing_else(place: Place, mark: int) -> None:
    assert refresh_from_prod(place.settings, Silent()).told == []
    assert leased_paths(place, mark) == LEASED
    place.assert_nothing_leased()


def test_the_superusers_provider_is_never_read(place: Place) -> None:
    assert [path for path in place.vault.paths() if path in FORBIDDEN] == []


def test_a_run_that_fails_leaves_no_lease(place: Place, mark: int) -> None:
    checks = place.settings.checks.model_copy(update={"minimum_tables": 5})
    ended = place.run(REFRESH, settings=place.settings.model_copy(update={"checks": checks}))
    assert ended.code == 2
    assert leased_paths(place, mark) == LEASED
    place.assert_nothing_leased()


@pytest.mark.parametrize("death", ["SIGINT", "SIGTERM"])
def test_a_run_that_is_interrupted_leaves_no_lease(place: Place, mark: int, death: str) -> None:
    ended = place.run(REFRESH, death=death, edge="begin", phase=RESTORE)
    assert ended.code == 4, ended
    assert leased_paths(place, mark) == LEASED
    place.assert_nothing_leased()


@pytest.mark.parametrize("verb", ["recover", "status"])
def test_what_a_killed_run_has_leased_is_revoked_by_the_next_command(
    place: Place, verb: str
) -> None:
    settings = place.settings
    killed = place.run(REFRESH, death="SIGKILL", edge="begin", phase=RESTORE, settings=settings)
    assert killed.code == -9, killed
    assert len(place.leased()) == 2
    (record,) = place.records
    dead = record.stem
    assert place.run(verb, settings=settings).code == 0
    place.assert_nothing_leased()
    assert dead not in str(place.records)
    refresh_from_prod(place.settings, Silent())


def test_recover_tells_whose_logins_it_has_revoked(place: Place) -> None:
    settings = place.settings
    place.run(
        RESET, death="SIGKILL", edge="begin", phase="undo what was changed", settings=settings
    )
    (record,) = place.records
    told = recover(settings, Silent()).told
    assert f"the logins of dead run {record.stem} are revoked" in told


def test_what_a_killed_run_has_leased_ends_by_itself(place: Place) -> None:
    """Where nobody comes: after the time that it was last kept alive for."""
    settings = place.with_vault(life_seconds=SHORT)
    place.run(REFRESH, death="SIGKILL", edge="begin", phase=RESTORE, settings=settings)
    (record,) = place.records
    assert len(place.leased()) == 2
    place.vault.await_no_leases()
    assert place.leased() == []
    record.unlink()
    refresh_from_prod(place.settings, Silent())


def test_a_run_longer_than_its_leases_keeps_them_alive(place: Place, mark: int) -> None:
    with logins(place.with_vault(life_seconds=SHORT), Run().id) as found:
        before = place.leased()
        assert len(before) == 2

        def renewed_four_times() -> None:
            paths = place.vault.paths(mark)
            # Twice each at the beginning: as long as a run may take, and then for a short time.
            assert paths.count("auth/token/renew-self") >= 2 + 4
            assert paths.count("sys/leases/renew") >= 2 * (2 + 4)

        eventually(renewed_four_times, Deadline(4 * SHORT, "each third of a life"))
        assert place.leased() == before
        assert found.told == []


def test_renewals_end_with_the_run(place: Place) -> None:
    def renewing() -> list[str]:
        return [each.name for each in threading.enumerate() if each.name == "renewal"]

    with logins(place.settings, Run().id):
        assert renewing() == ["renewal"]
    assert renewing() == []


def test_a_renewal_that_fails_is_told(place: Place) -> None:
    with pytest.raises(LifecycleError) as failed:
        outlive_its_leases(place)
    assert any(
        "Vault refused to renew the login of role" in note for note in failed.value.__notes__
    )


def outlive_its_leases(place: Place) -> None:
    with logins(place.with_vault(life_seconds=SHORT), Run().id) as found:
        for lease in place.vault.leases():
            place.vault.admin.sys.revoke_lease(lease_id=lease)

        def told() -> None:
            assert found.told != []

        eventually(told, _SOON)
        status(found.settings, Silent())


def test_a_revocation_that_fails_is_told_and_left_to_the_next_run(place: Place) -> None:
    with _policy_without(place, "auth/token/revoke-self"):
        with (
            pytest.raises(UndoOutstandingError) as outstanding,
            logins(place.settings, Run().id),
        ):
            pass
        assert "recover" in str(outstanding.value)
        assert len(place.leased()) == 2
    with logins(place.settings, Run().id) as found:
        assert "are revoked" in " ".join(found.told)


def test_a_login_that_would_end_in_the_middle_is_refused_by_numbers(place: Place) -> None:
    settings = place.with_vault(run_seconds=7200)
    with pytest.raises(LifecycleError) as refused, logins(settings, Run().id):
        pass
    assert "would end in the middle of a run" in refused.value.what
    assert "4,200 s" in (refused.value.found or "")
    assert "7,200 s" in (refused.value.expected or "")


def test_a_login_alone_that_is_too_short_is_refused(place: Place) -> None:
    path = f"/v1/{MOUNT}/roles/{SANDBOX_ROLE}"
    adapter = place.vault.admin.adapter
    before = adapter.get(path)["data"]
    adapter.post(path, json={**before, "max_ttl": 60})
    try:
        with pytest.raises(LifecycleError) as refused, logins(place.settings, Run().id):
            pass
    finally:
        adapter.post(path, json=before)
    assert f"max_ttl of {MOUNT}/roles/{SANDBOX_ROLE}" in (refused.value.remedy or "")
    assert "60 s" in (refused.value.found or "")


def test_a_token_that_lives_by_periods_is_taken_however_long_a_run_is(place: Place) -> None:
    path, before = setup.auth_role(place.settings)
    adapter = place.vault.admin.adapter
    adapter.post(f"/v1/{path}", json={**before, "token_period": SHORT})
    try:
        with (
            pytest.raises(LifecycleError) as refused,
            logins(place.with_vault(run_seconds=7200), Run().id),
        ):
            pass
        with logins(place.settings, Run().id):
            assert len(place.leased()) == 2
    finally:
        adapter.post(f"/v1/{path}", json={**before, "token_period": 0})
    assert refused.value.what.startswith("a login of role")


def test_another_run_that_is_alive_keeps_its_logins(place: Place) -> None:
    with logins(place.settings, Run().id):
        first = place.leased()
        with logins(place.settings, Run().id) as second:
            assert second.told == []
            assert set(first) < set(place.leased())
        place.run("status")
        assert place.leased() == first


def test_whoever_holds_logins_already_leases_no_others(place: Place) -> None:
    with logins(place.settings, Run().id) as held:
        mark = place.vault.mark()
        status(held.settings, Silent())
        assert leased_paths(place, mark) == set()


def test_a_vault_that_cannot_prove_who_it_is_gets_no_secret(place: Place, mark: int) -> None:
    with pytest.raises(LifecycleError) as refused, logins(place.with_vault(ca_file=None), Run().id):
        pass
    assert "certificate" in str(refused.value)
    assert place.vault.requests(mark) == []


def test_the_environment_is_not_asked(
    place: Place, mark: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_ADDR", "https://127.0.0.1:1")
    monkeypatch.setenv("VAULT_TOKEN", place.vault.admin.token)
    monkeypatch.setenv("VAULT_NAMESPACE", "elsewhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert place.run("status").code == 0
    used = {entry["auth"].get("display_name") for entry in place.vault.requests(mark)}
    assert "root" not in used


def test_secrets_are_shown_nowhere(place: Place) -> None:
    secret_id = (place.folder / "secret-id").read_text(encoding="utf-8").strip()
    with logins(place.settings, Run().id) as found:
        sides = (Prod.of(found.settings), Sandbox.of(found.settings))
        passwords = [str(side.login.password) for side in sides]
        shown = repr(found) + repr(sides) + "".join(map(str, (side.login for side in sides)))
        (record,) = place.records
        noted = record.read_text(encoding="utf-8")
        assert record.stat().st_mode & 0o777 == 0o600
    tokens = [
        entry["response"]["auth"]["client_token"]
        for entry in place.vault.requests()
        if entry["request"]["path"] == "auth/approle/login"
    ]
    assert tokens
    for secret in (*passwords, secret_id, *tokens):
        assert secret not in shown
        assert secret not in noted
    wrong = place.with_vault(run_seconds=10**6)
    ended = place.run("status", settings=wrong)
    assert ended.code == 2
    for secret in (secret_id, *tokens):
        assert secret not in json.dumps(ended.told) + ended.errors


@contextmanager
def _policy_without(place: Place, path: str) -> Iterator[None]:
    admin = place.vault.admin
    whole = setup.policy(place.settings)
    lines = [line for line in whole.splitlines() if f'"{path}"' not in line]
    admin.sys.create_or_update_policy(setup.NAME, "\n".join(lines))
    try:
        yield
    finally:
        admin.sys.create_or_update_policy(setup.NAME, whole)
