"""A shadow that belongs to a role of its own: the application reads it, and cannot write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors, sql

from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.compare import differences_from_golden
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.reset import reset
from harness.progress import Silent
from harness.sides import Sandbox
from tests.recovery.tiny import tiny_platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.settings import Settings

KEEPER = "erp_golden_role"


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    with tiny_platform(cluster=False) as platform:
        settings = platform.settings
        own = settings.sandbox.model_copy(update={"shadow_owner_role": KEEPER})
        settings = settings.model_copy(update={"sandbox": own})
        with psycopg.connect(platform.superuser.conninfo) as provisioner:
            provisioner.execute(f"CREATE ROLE {KEEPER}")
            login = sql.Identifier(Sandbox.of(settings).login.user)
            provisioner.execute(sql.SQL(f"GRANT {KEEPER} TO {{}}").format(login))
        refresh_from_prod(settings, Silent())
        yield settings


def as_application(settings: Settings) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(Sandbox.of(settings).application.conninfo)


def test_the_application_cannot_write_it_and_resets_work_as_ever(settings: Settings) -> None:
    for _again in range(2):
        assert checkpoint(settings, Silent()).no_shadow is None
        with pytest.raises(errors.InsufficientPrivilege), as_application(settings) as session:
            session.execute("UPDATE golden.llx_societe SET nom = 'tampered with'")
        with as_application(settings) as session:
            session.execute("UPDATE public.llx_societe SET nom = 'changed' WHERE rowid < 5")
        done = reset(settings, Silent())
        assert (done.way, done.reason) == ("differential", None)
        assert differences_from_golden(settings) == []


def test_a_durable_reset_makes_it_anew(settings: Settings) -> None:
    checkpoint(settings, Silent())
    with as_application(settings) as session:
        session.execute("CREATE TABLE public.llx_module (rowid serial PRIMARY KEY)")
    done = reset(settings, Silent())
    assert (done.way, done.told) == ("durable", [])
    assert reset(settings, Silent()).way == "differential"


def test_a_role_that_the_application_could_become_is_not_used(settings: Settings) -> None:
    own = settings.sandbox.model_copy(update={"shadow_owner_role": settings.sandbox.owner_role})
    told = checkpoint(settings.model_copy(update={"sandbox": own}), Silent()).no_shadow
    assert told is not None
    assert "can become erp_sandbox_role" in told
