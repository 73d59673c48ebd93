"""Settings about sources of logins: one source a side, and nothing guessed."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import ConfigurationError
from harness.settings import Settings

VAULT = {
    "address": "https://vault.example:8200",
    "role_id": "harness",
    "secret_id_file": "/run/secrets/secret-id",
    "prod_owner_path": "postgres/creds/erp",
    "provider_path": "postgres/creds/provider",
}
CLUSTER = {
    "kubeconfig": "/run/secrets/kubeconfig",
    "namespace": "erp-sandbox",
    "deployment": "dolibarr",
    "argocd_namespace": "argocd",
    "application": "erp-sandbox",
    "prod_namespace": "erp",
    "prod_application": "erp",
}
SECRET = {"namespace": "erp-sandbox", "name": "erp-read"}


def values(prod: dict[str, Any] | None = None, **tables: Any) -> dict[str, Any]:
    return {
        "prod": {"dsn": "postgresql://db/erp", "owner_role": "erp_role", **(prod or {})},
        "sandbox": {"dsn": "postgresql://v@db/erp-sandbox", "owner_role": "erp_sandbox_role"},
        "golden": {"directory": "/golden"},
        **tables,
    }


def refused(given: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as error:
        Settings.of(given, origin="test")
    return str(error.value)


def without(*names: str) -> dict[str, Any]:
    return {key: value for key, value in VAULT.items() if key not in names}


def test_a_side_may_come_from_vault_or_from_a_secret() -> None:
    from_vault = Settings.of(values({"vault_role": "erp-read"}, vault=VAULT), origin="test")
    assert from_vault.vault is not None
    assert from_vault.vault.mount == "postgres"
    from_secret = Settings.of(values({"secret": SECRET}, cluster=CLUSTER), origin="test")
    assert from_secret.prod.secret is not None


@pytest.mark.parametrize(
    "both",
    [
        {"vault_role": "erp-read", "password_file": "/run/secrets/prod"},
        {"vault_role": "erp-read", "secret": SECRET},
        {"secret": SECRET, "password_file": "/run/secrets/prod"},
    ],
)
def test_two_sources_of_one_login_are_refused(both: dict[str, Any]) -> None:
    told = refused(values(both, vault=VAULT, cluster=CLUSTER))
    assert "two sources of one login" in told


def test_a_source_without_its_table_is_refused() -> None:
    assert "prod.vault_role needs the table [vault]" in refused(values({"vault_role": "erp-read"}))
    assert "prod.secret needs the table [cluster]" in refused(values({"secret": SECRET}))


@pytest.mark.parametrize(
    ("vault", "told"),
    [
        (without("secret_id_file"), "both role_id and secret_id_file"),
        (without("role_id", "secret_id_file"), "either an AppRole or kubernetes_role"),
        (VAULT | {"kubernetes_role": "harness"}, "either an AppRole or kubernetes_role"),
        (VAULT | {"address": "http://vault.example:8200"}, "address"),
        (without("prod_owner_path"), "prod_owner_path"),
        (without("provider_path"), "provider_path"),
        (VAULT | {"provider_path": "postgres/creds/*"}, "provider_path"),
        (VAULT | {"provider_path": "/postgres/creds/x"}, "provider_path"),
        (VAULT | {"life_seconds": 1}, "life_seconds"),
    ],
)
def test_what_is_missing_or_wrong_is_named(vault: dict[str, Any], told: str) -> None:
    assert told in refused(values(vault=vault))
