"""What the proof of a platform's Vault complains of: each thing that must not be, made to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import hvac
import pytest
from hvac.exceptions import Forbidden

from harness.lifecycle.refresh import refresh_from_prod
from harness.progress import Silent
from tests.recovery.tiny import tiny_platform

from .administrator import FORBIDDEN, SANDBOX_ROLE
from .place import Place
from .proof import Proof
from .server import MOUNT, vault_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def other(vault_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform and a Vault of its own, for other tests would complain of what is in its log."""
    folder = tmp_path_factory.mktemp("careless")
    with (
        tiny_platform(cluster=False) as platform,
        vault_server(vault_program, folder) as server,
    ):
        yield Place(platform, server, folder)


@pytest.fixture
def mark(other: Place) -> int:
    """Where the audit log stood before the test."""
    return other.vault.mark()


def careless(place: Place) -> hvac.Client:
    """Somebody who logs in as the harness does, and cares for nothing."""
    own = place.settings.vault
    assert own is not None
    assert own.secret_id_file is not None
    client = hvac.Client(url=own.address, verify=own.ca_file)
    secret_id = Path(own.secret_id_file).read_text(encoding="utf-8").strip()
    client.auth.approle.login(own.role_id, secret_id)
    return client


def proof(place: Place, mark: int) -> Proof:
    return Proof.of(place.vault, place.platform.superuser.conninfo, mark)


def test_before_anything_is_leased_it_says_so(other: Place, mark: int) -> None:
    assert proof(other, mark).complaints == []
    assert "nothing was leased yet" in str(proof(other, mark))


def test_after_a_run_it_complains_of_nothing(other: Place, mark: int) -> None:
    refresh_from_prod(other.settings, Silent())
    other.vault.await_no_leases()
    found = proof(other, mark)
    assert found.complaints == []
    assert len(found.logins) == 2
    assert "every one is revoked" in str(found)


def test_a_login_that_nobody_gives_back_is_told_three_times(other: Place, mark: int) -> None:
    client = careless(other)
    lease = client.read(f"{MOUNT}/creds/{SANDBOX_ROLE}")
    found = proof(other, mark)
    accessor = client.lookup_token()["data"]["accessor"]
    assert found.complaints == [
        f"never revoked: the token with accessor {accessor}",
        f"alive: lease {lease['lease_id']}",
        f"left in PostgreSQL: {lease['data']['username']}",
    ]
    assert "revoked;" not in str(found)
    client.auth.token.revoke_self()
    other.vault.await_no_leases()
    assert proof(other, mark).complaints == []


@pytest.mark.parametrize("path", FORBIDDEN)
def test_who_asks_for_what_is_not_the_harnesss_is_told_though_it_was_refused(
    other: Place, mark: int, path: str
) -> None:
    client = careless(other)
    with pytest.raises(Forbidden):
        client.read(path)
    client.auth.token.revoke_self()
    assert proof(other, mark).complaints == [f"asked for: read {path}"]
