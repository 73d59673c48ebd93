"""Compare the sandbox with what it should be, independently of the run that made it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.dolibarr.gate import strangers
from harness.errors import FailedError
from harness.golden.store import GoldenStore
from harness.postgres.connection import Run, connect
from harness.postgres.difference import differences
from harness.postgres.fingerprint import fingerprint_of
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from harness.postgres.difference import Difference
    from harness.postgres.fingerprint import Fingerprint
    from harness.settings import Settings

_PROVISIONED = """
SELECT pg_catalog.pg_get_functiondef(oid), proowner::regrole::text, proacl::text
FROM pg_catalog.pg_proc
WHERE pronamespace = 'public'::regnamespace AND proname = ANY (%s)
ORDER BY 1
"""


def prod_now(settings: Settings) -> Fingerprint:
    """What prod holds now."""
    return fingerprint_of(Prod.of(settings), Run(), settings)


def sandbox_now(settings: Settings) -> Fingerprint:
    """What the sandbox holds now."""
    return fingerprint_of(Sandbox.of(settings), Run(), settings)


def strangers_now(settings: Settings) -> list[str]:
    """Objects in the sandbox that do not belong to its owner role, the provisioner's left out."""
    sandbox = Sandbox.of(settings)
    with connect(sandbox, Run(), "compare", settings.deadlines, read_only=True) as session:
        functions = settings.checks.provisioner_functions
        return strangers(session, sandbox.owner_role, functions)


def provisioner_functions_now(settings: Settings) -> list[tuple[str, ...]]:
    """Definition, owner and grants of each of the provisioner's functions in the sandbox."""
    with connect(
        Sandbox.of(settings), Run(), "compare", settings.deadlines, read_only=True
    ) as session:
        names = list(settings.checks.provisioner_functions)
        return session.execute(_PROVISIONED, (names,)).fetchall()


def differences_from_prod(settings: Settings, prod: Fingerprint) -> list[Difference]:
    """How the sandbox differs from what prod held; grants are each side's own."""
    return differences(prod, sandbox_now(settings), grants=False)


def differences_from_golden(settings: Settings) -> list[Difference]:
    """How the sandbox differs from the newest golden copy.

    Raises:
        FailedError: There is no golden copy, or it is damaged.
    """
    return differences(_golden(settings), sandbox_now(settings), grants=True)


def golden_from_prod(settings: Settings) -> list[Difference]:
    """How the newest golden copy differs from what prod holds now.

    Raises:
        FailedError: There is no golden copy, or it is damaged.
    """
    return differences(prod_now(settings), _golden(settings), grants=False)


def _golden(settings: Settings) -> Fingerprint:
    golden = GoldenStore(settings.golden.directory, settings.golden.generations).latest()
    if golden is None:
        raise FailedError("there is no golden copy to compare with")
    return golden.manifest.fingerprint
