"""What is a secret in the ERP's content: known by its column, by its setting, or by its look."""

from __future__ import annotations

import pytest

from harness.dolibarr.secrets import (
    is_secret_name,
    is_secret_value,
    naming_columns,
    secret_columns,
)


@pytest.mark.parametrize(
    "name",
    [
        "pass", "pass_crypted", "pass_temp", "share_pass", "password", "smtpPassword", "mdp",
        "api_key", "apiKey", "APIKEY", "webservices_key", "preapproval_key", "private_key",
        "token", "tokenstring", "tokenstring_refresh", "access_token", "client_secret", "cvn",
        "session_id", "credentials", "MAIN_SECURITY_SALT",
        "CRON_KEY", "MAIN_MAIL_SMTPS_PW", "MAIN_MAIL_SMTPS_PW_EMAILING", "LDAP_ADMIN_PASS",
        "STRIPE_LIVE_SECRET_KEY", "PAYPAL_API_SIGNATURE", "MAIN_MAIL_EMAIL_DKIM_PRIVATE_KEY",
        "OAUTH_GOOGLE-Bureau_SECRET", "WEBHOOK_SIGNING_SECRET", "PAYBOX_HMAC_KEY",
        "EXPEDITOR_WEB_TOKEN", "SOME_SERVERKEY", "DATABASE_PWD_ENCRYPTED",
    ],
)  # fmt: skip
def test_a_name_tells_of_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "import_key", "fk_oauth_token", "date_last_reset_password", "datelastpassvalidation",
        "pass_encoding", "authentication_method", "email_oauth2", "keywords", "passport", "compass",
        "iban_prefix", "bic", "number", "code_guichet", "login", "email", "note_private",
        "signature",
        "priv", "private", "fk_user_assign", "monkey", "shipping", "opinion",
        "MAIN_INFO_SOCIETE_NOM", "SOCIETE_CODECLIENT_ADDON", "MAIN_SECURITY_HASH_ALGO",
        "TICKET_MESSAGE_MAIL_SIGNATURE", "MAIN_MAIL_SMTPS_ID", "FCKEDITOR_ENABLE_USERSIGN",
    ],
)  # fmt: skip
def test_any_other_name_does_not(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "value",
    [
        "dolcrypt:AES-256-CTR:0123456789abcdef:bWFkZS11cA==",
        "crypted:bWFkZS11cA==",
        "was dolcrypt:AES-256-CTR:0123456789abcdef:bWFkZS11cA== before",
        "$2y$10$abcdefghijklmnopqrstuvwxyz012345",
        "$argon2id$v=19$m=65536,t=4,p=1$bWFkZQ$bWFkZS11cA",
        "{SSHA}bWFkZS11cA==",
        "-----BEGIN RSA PRIVATE KEY-----\nbWFkZS11cA==",
        "https://bureau:made-up@hooks.example/accountant",
        "https://hooks.example/accountant?token=made-up",
        '{"api_key":"made-up"}',
        'a:1:{s:8:"password";s:7:"made-up";}',
        "The password: made-up",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYWRlLXVwIn0.c2lnbmVk",
        "whsec_madeupmadeup",
    ],
)
def test_a_look_tells_of_a_secret(value: str) -> None:
    assert is_secret_value(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Forgot the password",
        "https://hooks.example:8080/accountant",
        "user@lavandiere.example",
        "10:30: ring user@lavandiere.example",
        "$12.50 or $2 more",
        '{"authorid":"1","ip":"192.0.2.10"}',
    ],
)
def test_any_other_look_does_not(value: str) -> None:
    assert not is_secret_value(value)


def test_of_a_setting_the_name_decides() -> None:
    secret = {"rowid": "37", "name": "CRON_KEY", "value": "made-up", "note": "made up"}
    plain = secret | {"name": "MAIN_INFO_SOCIETE_NOM"}
    assert secret_columns("llx_const", secret, whole=True) == {"value"}
    assert secret_columns("llx_const", plain, whole=True) == set()


def test_a_setting_is_a_secret_if_it_was_one_under_its_former_name() -> None:
    before, after = {"name": "CRON_KEY"}, {"name": "CRON_LABEL"}
    row = ({"rowid": "37", "value": "x"}, before, after)
    assert secret_columns("llx_const", *row, whole=False) == {"value"}


def test_of_a_setting_without_a_name_the_value_is_taken_for_a_secret() -> None:
    assert secret_columns("llx_const", {"rowid": "1"}, {"value": "x"}, whole=False) == {"value"}
    # The whole row is known, and there is no name in it: it is no setting.
    assert secret_columns("llx_x", {"rowid": "1", "value": "x"}, whole=True) == set()
    assert (
        secret_columns("llx_stock_mouvement", {"rowid": "1"}, {"value": "3"}, whole=False) == set()
    )


def test_a_table_of_settings_may_call_its_names_keys() -> None:
    row = {"key": "smtp_password", "value": "made-up"}
    assert naming_columns(row) == ["key"]
    assert secret_columns("llx_some_settings", row, whole=True) == {"value"}
    assert secret_columns("llx_some_licence", {"key": "made-up"}, whole=True) == {"key"}


def test_a_look_in_one_version_makes_the_column_a_secret_in_all() -> None:
    before, after = {"iban_prefix": "FR76"}, {"iban_prefix": "dolcrypt:AES-256-CTR:0:bWFkZQ=="}
    found = secret_columns("llx_societe_rib", {"rowid": "1"}, before, after, whole=False)
    assert found == {"iban_prefix"}
    assert secret_columns("llx_societe_rib", {"rowid": "1"}, before, whole=False) == set()


def test_the_link_to_a_shared_document_is_a_secret_and_a_share_of_capital_is_none() -> None:
    assert secret_columns("llx_ecm_files", {"share": "abc"}, whole=True) == {"share"}
    assert secret_columns("llx_c_shares", {"share": "12"}, whole=True) == set()
