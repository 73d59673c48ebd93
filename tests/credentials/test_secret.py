"""Logins that lie in Secrets of the cluster: read by name, with the right to read these alone."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from psycopg.conninfo import make_conninfo

from harness import manifests
from harness.credentials import access
from harness.credentials.sources import Logins, logins
from harness.errors import ConfigurationError
from harness.lifecycle import watch
from harness.lifecycle.checkpoint import checkpoint
from harness.lifecycle.refresh import refresh_from_prod
from harness.lifecycle.status import status
from harness.postgres.connection import Run
from harness.progress import Silent
from harness.settings import Settings
from harness.sides import Login, Prod, Sandbox
from tests.recovery.tiny import tiny_platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from harness.local.platform import LocalPlatform

PROD_SECRET, SANDBOX_SECRET, UNREADABLE = "erp-read", "erp-sandbox-harness", "another"
_ROUNDS = 5


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalPlatform]:
    with tiny_platform() as platform:
        yield platform


@pytest.fixture(scope="module")
def settings(platform: LocalPlatform) -> Settings:
    """The platform, its logins laid into Secrets, its manifests applied."""
    own, cluster = platform.settings, platform.cluster
    assert own.cluster is not None
    assert cluster is not None
    namespace = own.cluster.namespace
    sides = {
        PROD_SECRET: Prod.of(own).login,
        SANDBOX_SECRET: Sandbox.of(own).login,
        UNREADABLE: Prod.of(own).login,
    }
    for name, login in sides.items():
        cluster.admin.create(secret(namespace, name, login))
    values = own.model_dump(exclude_none=True)
    for side, name in (("prod", PROD_SECRET), ("sandbox", SANDBOX_SECRET)):
        values[side]["dsn"] = without_login(sides[name])
        values[side]["secret"] = {"namespace": namespace, "name": name, "user_key": "login"}
    found = Settings.of(values, origin="the test")
    names = manifests.Names(
        sandbox_namespace=namespace,
        deployment=own.cluster.deployment,
        argocd_namespace=own.cluster.argocd_namespace,
        application=own.cluster.application,
    )
    for text in access.render(found, names).values():
        for obj in yaml.safe_load_all(text):
            cluster.admin.create(obj)
    return found


def secret(namespace: str, name: str, login: Login) -> dict[str, Any]:
    data = {"login": login.user, "password": login.password or "", "empty": ""}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key: b64encode(value.encode()).decode() for key, value in data.items()},
    }


def without_login(login: Login) -> str:
    return make_conninfo(host=login.host, port=login.port, dbname=login.database)


def changed(settings: Settings, **secret_: str) -> Settings:
    assert settings.prod.secret is not None
    found = settings.prod.secret.model_copy(update=secret_)
    prod = settings.prod.model_copy(update={"secret": found})
    return settings.model_copy(update={"prod": prod})


def test_a_run_works_with_logins_out_of_secrets(
    platform: LocalPlatform, settings: Settings
) -> None:
    assert status(settings, Silent()).prod == str(Prod.of(platform.settings).login)
    assert refresh_from_prod(settings, Silent()).company == "Ferblanterie"


def test_a_watchdog_gets_its_login_once_after_each_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh_from_prod(settings, Silent())
    checkpoint(settings, Silent())
    got: list[str] = []
    told: list[str] = []
    rounds: list[int] = []

    def counted(settings: Settings, run: str) -> AbstractContextManager[Logins]:
        got.append(run)
        return logins(settings, run)

    def alive() -> None:
        rounds.append(len(got))
        if len(rounds) == _ROUNDS:
            raise KeyboardInterrupt

    monkeypatch.setattr(watch, "logins", counted)
    quick = settings.model_copy(update={"deadline_scale": 0.01})
    with pytest.raises(KeyboardInterrupt):
        watch.watch(quick, Silent(), told.append, alive)
    assert len(got) == 1
    assert [line for line in told if not line.startswith("watching")] == []


def test_the_password_shows_nowhere(settings: Settings) -> None:
    with logins(settings, Run().id) as found:
        password = Prod.of(found.settings).login.password
        assert password
        assert password not in repr(found)


def test_a_secret_that_the_harness_may_not_read_is_named(settings: Settings) -> None:
    with (
        pytest.raises(ConfigurationError) as refused,
        logins(changed(settings, name=UNREADABLE), Run().id),
    ):
        pass
    assert UNREADABLE in str(refused.value)


def test_a_secret_that_is_not_there_is_named(settings: Settings) -> None:
    with (
        pytest.raises(ConfigurationError) as refused,
        logins(changed(settings, name="nowhere"), Run().id),
    ):
        pass
    assert "nowhere" in str(refused.value)


@pytest.mark.parametrize("key", ["empty", "missing"])
def test_an_entry_that_holds_nothing_is_named(settings: Settings, key: str) -> None:
    with (
        pytest.raises(ConfigurationError) as refused,
        logins(changed(settings, password_key=key), Run().id),
    ):
        pass
    assert key in (refused.value.found or "")


def test_a_user_in_the_dsn_as_well_is_refused(settings: Settings) -> None:
    dsn = type(settings.prod.dsn)("postgresql://somebody@localhost/erp")
    prod = settings.prod.model_copy(update={"dsn": dsn})
    with (
        pytest.raises(ConfigurationError) as refused,
        logins(settings.model_copy(update={"prod": prod}), Run().id),
    ):
        pass
    assert "user in it" in (refused.value.found or "")
    assert "somebody" not in str(refused.value)


def test_the_manifests_let_it_read_these_secrets_and_list_none(settings: Settings) -> None:
    names = manifests.Names("sandbox", "d", "argocd", "a")
    (text,) = access.render(settings, names).values()
    role, binding = yaml.safe_load_all(text)
    (rule,) = role["rules"]
    assert rule["verbs"] == ["get"]
    assert rule["resourceNames"] == sorted([PROD_SECRET, SANDBOX_SECRET])
    assert binding["subjects"][0]["namespace"] == "sandbox"


def test_without_secrets_nothing_is_granted(platform: LocalPlatform) -> None:
    assert access.render(platform.settings, manifests.Names("sandbox", "d", "argocd", "a")) == {}
