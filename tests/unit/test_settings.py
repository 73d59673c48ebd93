"""The settings: what is missing is named, what is secret is not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ConfigurationError, RefusedError
from harness.settings import Settings
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "tr0ub4dor"  # noqa: S105  made up, and looked for in errors


def values(**sandbox: Any) -> dict[str, Any]:
    return {
        "prod": {"dsn": f"postgresql://v-erp:{SECRET}@db:5432/erp", "owner_role": "erp_role"},
        "sandbox": {
            "dsn": f"postgresql://v-sbx:{SECRET}@db:5432/erp-sandbox",
            "owner_role": "erp_sandbox_role",
            **sandbox,
        },
        "golden": {"directory": "/golden"},
    }


def settings(**sandbox: Any) -> Settings:
    return Settings.of(values(**sandbox), origin="a test")


def test_a_live_target_without_a_file_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="--sandbox-config"):
        Settings.live(None)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml"):
        Settings.live(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[prod\n")
    with pytest.raises(ConfigurationError, match=r"settings\.toml"):
        Settings.live(path)


def test_every_missing_value_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.of({"prod": {}}, origin="a test")
    for name in ("prod.dsn", "prod.owner_role", "sandbox", "golden"):
        assert name in str(caught.value)


def test_an_unknown_value_is_an_error_and_not_ignored() -> None:
    with pytest.raises(ConfigurationError, match="owner_rol"):
        settings(owner_rol="erp_sandbox_role")


def test_an_error_does_not_show_the_values_beside_the_wrong_one() -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(database_oid=f"not a number {SECRET}")
    assert SECRET not in str(caught.value)
    assert "sandbox.database_oid" in str(caught.value)


def test_a_target_does_not_show_its_passwords() -> None:
    target = settings()
    for shown in (target, Prod.of(target), Sandbox.of(target)):
        assert SECRET not in repr(shown)
        assert SECRET not in str(shown)


def test_the_environment_overrides_what_a_file_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_LIFECYCLE_DEADLINE_SCALE", "2")
    assert settings().deadlines.lock.seconds == 20


def test_the_password_file_wins_over_the_connection_string(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n")
    other = "postgresql://v-sbx:another@db/erp-sandbox"
    assert Sandbox.of(settings(password_file=path, dsn=other)).login.password == SECRET


def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no-such-file"):
        Sandbox.of(settings(password_file=tmp_path / "no-such-file"))


@pytest.mark.parametrize(
    ("dsn", "missing"),
    [
        ("postgresql://v-sbx@/erp-sandbox", "host"),
        ("host=db dbname=erp-sandbox", "user"),
        ("postgresql://v-sbx@db", "dbname"),
        ("this is no connection string", "host, no user, no dbname"),
    ],
)
def test_what_libpq_would_guess_is_missing(dsn: str, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no {missing}"):
        Sandbox.of(settings(dsn=dsn))


def test_prod_for_both_sides_is_refused() -> None:
    with pytest.raises(RefusedError, match="the same database"):
        Sandbox.of(settings(dsn="postgresql://v-sbx@another-name-of-the-server/erp"))


def test_prods_owner_for_both_sides_is_refused() -> None:
    with pytest.raises(RefusedError, match="the same owner role"):
        Sandbox.of(settings(owner_role="erp_role"))


def test_an_application_that_leads_elsewhere_is_refused() -> None:
    with pytest.raises(RefusedError, match="another database"):
        Sandbox.of(settings(application_dsn="postgresql://v-sbx-app@db/erp"))
