"""The Vault plane of the audit: each check turns red by the right that it looks for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.credentials.vault import setup
from harness.integrity.guarantees import LOGINS, READ_ONLY
from harness.integrity.vault_plane import look
from harness.lifecycle.audit import audit
from harness.progress import Silent

from .administrator import OWNER_ROLE, PROD_ROLE, PROVIDER_ROLE, READ_ROLE, SANDBOX_ROLE
from .server import MOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.integrity.vault_plane import VaultPlane

    from .place import Place

# A right that the harness must not have, and the path that the audit then names.
TOO_MUCH = [
    (f"{MOUNT}/creds/{OWNER_ROLE}", "read", f"{MOUNT}/creds/{OWNER_ROLE}"),
    (f"{MOUNT}/creds/{PROVIDER_ROLE}", "read", f"{MOUNT}/creds/{PROVIDER_ROLE}"),
    (f"{MOUNT}/creds/*", "read", f"{MOUNT}/creds/sandbox-lifecycle-asks"),
    (f"{MOUNT}/static-creds/+", "read", f"{MOUNT}/static-creds/sandbox-lifecycle-asks"),
    (f"{MOUNT}/roles/{SANDBOX_ROLE}", "update", f"{MOUNT}/roles/{SANDBOX_ROLE}"),
    (f"{MOUNT}/roles/{PROD_ROLE}", "read", f"{MOUNT}/roles/{PROD_ROLE}"),
    (f"{MOUNT}/config/postgres", "read", f"{MOUNT}/config/postgres"),
    ("sys/policies/acl/*", "create", "sys/policies/acl/sandbox-lifecycle-asks"),
    ("auth/approle/role/*", "update", "auth/approle/role/sandbox-lifecycle-asks"),
    ("auth/token/create", "update", "auth/token/create"),
    ("sys/leases/revoke-prefix/*", "sudo", f"sys/leases/revoke-prefix/{MOUNT}"),
    ("secret/backups", "read", "secret/backups"),
]


def asked(place: Place) -> VaultPlane:
    settings = place.with_vault(denied_paths=("secret/backups",))
    assert settings.vault is not None
    return look(settings, settings.vault)


@contextmanager
def policy_with(place: Place, path: str, capability: str) -> Iterator[None]:
    admin, whole = place.vault.admin, setup.policy(place.settings)
    more = f'path "{path}" {{ capabilities = ["{capability}"] }}'
    admin.sys.create_or_update_policy(setup.NAME, f"{whole}\n{more}\n")
    try:
        yield
    finally:
        admin.sys.create_or_update_policy(setup.NAME, whole)


def test_the_policy_that_is_shipped_denies_everything_else(place: Place) -> None:
    plane = asked(place)
    assert plane.policies == (setup.NAME,)
    assert (plane.findings, plane.unproven) == ((), ())
    assert len(plane.paths) > 20


@pytest.mark.parametrize(("path", "capability", "named"), TOO_MUCH)
def test_a_right_too_many_is_found(place: Place, path: str, capability: str, named: str) -> None:
    with policy_with(place, path, capability):
        found = {each.id: each.what for each in asked(place).findings}
    assert capability in found[f"vault/15/{named}"]


def test_the_token_of_an_administrator_is_found_everywhere(place: Place) -> None:
    with policy_with(place, "*", "sudo"):
        plane = asked(place)
    assert len(plane.findings) == len(plane.paths)


def test_a_policy_under_which_nobody_may_ask_proves_nothing(place: Place) -> None:
    admin, whole = place.vault.admin, setup.policy(place.settings)
    admin.sys.create_or_update_policy(setup.NAME, whole.replace("sys/capabilities-self", "none"))
    try:
        plane = asked(place)
    finally:
        admin.sys.create_or_update_policy(setup.NAME, whole)
    assert plane.findings == ()
    assert [each.id for each in plane.unproven] == ["vault/15/capabilities"]


def test_an_audit_by_questions_proves_that_prod_is_read_only_by_construction(
    place: Place,
) -> None:
    report = audit(place.settings, Silent(), attempts=False)
    assert [each.id for each in report.findings] == []
    reading, leasing = report.guarantee(READ_ONLY), report.guarantee(LOGINS)
    assert (reading.verdict, leasing.verdict) == ("holds", "holds")
    assert "by construction" in reading.evidence


def test_a_right_too_many_breaks_the_guarantee(place: Place) -> None:
    with policy_with(place, f"{MOUNT}/creds/{OWNER_ROLE}", "read"):
        report = audit(place.settings, Silent(), attempts=False)
    assert report.guarantee(LOGINS).verdict == "broken"
    assert not report.is_green


def test_attempts_are_made_as_the_login_that_can_only_read(place: Place) -> None:
    report = audit(place.settings, Silent(), attempts=True)
    assert report.attempts is not None
    assert [each.id for each in report.findings] == []
    assert report.guarantee(READ_ONLY).proof == "proven by attempt on a twin"
    assert any(each.identity.startswith("the dump's login") for each in report.attempts.made)


@pytest.mark.parametrize(
    ("grant", "revoke", "told"),
    [
        (
            f"GRANT INSERT ON public.llx_societe TO {READ_ROLE}",
            f"REVOKE INSERT ON public.llx_societe FROM {READ_ROLE}",
            "INSERT",
        ),
        (f"GRANT erp_role TO {READ_ROLE}", f"REVOKE erp_role FROM {READ_ROLE}", "owns"),
        (
            f"GRANT UPDATE ON SEQUENCE public.llx_societe_rowid_seq TO {READ_ROLE}",
            f"REVOKE UPDATE ON SEQUENCE public.llx_societe_rowid_seq FROM {READ_ROLE}",
            "UPDATE",
        ),
    ],
)
def test_a_reader_who_may_write_is_found(place: Place, grant: str, revoke: str, told: str) -> None:
    with place.superuser("erp") as session:
        session.execute(grant.encode())
        try:
            report = audit(place.settings, Silent(), attempts=False)
        finally:
            session.execute(revoke.encode())
    found = [each for each in report.findings if READ_ROLE in each.id]
    assert any(told in each.what for each in found)
    assert report.guarantee(READ_ONLY).verdict == "broken"


def test_without_a_vault_nothing_is_said_to_be_proven(place: Place) -> None:
    report = audit(place.platform.settings, Silent(), attempts=False)
    found = report.guarantee(LOGINS)
    assert (found.verdict, found.holds) == ("not applicable", False)
    assert "1 not applicable" in report.summary
    assert report.vault is None
    assert any("leases logins" in each for each in report.not_looked_at)
