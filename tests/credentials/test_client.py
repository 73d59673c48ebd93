"""What answers in Vault's place and is none: told as an error, never followed."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
import trustme

from harness.credentials.vault.client import VaultError, connect
from harness.credentials.vault.token import enter
from harness.deadlines import Deadlines
from harness.settings.vault import VaultSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET_ID = "s3cr3t-id"  # noqa: S105  made up


@contextmanager
def answering(status: int, text: str, folder: Path, **headers: str) -> Iterator[VaultSettings]:
    """A server that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the parent's name
            """Say nothing."""

    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    (folder / "secret-id").write_text(f"{SECRET_ID}\n", encoding="utf-8")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield VaultSettings(
                address=f"https://127.0.0.1:{server.server_port}",
                ca_file=folder / "authority.pem",
                role_id="harness",
                secret_id_file=folder / "secret-id",
                prod_owner_path="postgres/creds/erp",
                provider_path="postgres/creds/provider",
            )
        finally:
            server.shutdown()
            thread.join()


def refused(settings: VaultSettings) -> VaultError:
    with connect(settings, Deadlines()) as vault, pytest.raises(VaultError) as error:
        enter(vault)
    assert SECRET_ID not in str(error.value)
    return error.value


@pytest.mark.parametrize(
    "text", ["", "hello", "[]", "{}", '{"auth": null}', '{"auth": {"client_token": null}}']
)
def test_an_answer_that_is_none_of_vaults_is_told(tmp_path: Path, text: str) -> None:
    with answering(200, text, tmp_path) as settings:
        refused(settings)


def test_a_batch_token_is_refused_since_nobody_could_revoke_it(tmp_path: Path) -> None:
    auth = {"client_token": "hvb.x", "accessor": "", "policies": ["p"], "token_type": "batch"}
    with answering(200, json.dumps({"auth": auth}), tmp_path) as settings:
        error = refused(settings)
    assert "batch" in (error.found or "")
    assert "token_type=service" in (error.remedy or "")


def test_a_redirection_is_not_followed_with_a_secret(tmp_path: Path) -> None:
    with answering(307, "", tmp_path, Location="https://127.0.0.1:1/v1/x") as settings:
        error = refused(settings)
    assert "an answer of another form" in (error.found or "")


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_a_refusal_is_told_in_vaults_words(tmp_path: Path, status: int) -> None:
    with answering(status, '{"errors": ["Vault is sealed"]}', tmp_path) as settings:
        error = refused(settings)
    assert error.found == "Vault is sealed"


def test_a_vault_that_is_not_there_is_named(tmp_path: Path) -> None:
    with answering(200, "{}", tmp_path) as settings:
        gone = settings
    error = refused(gone)
    assert gone.address in (error.expected or "")


def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path: Path) -> None:
    with answering(200, "{}", tmp_path) as settings:
        error = refused(settings.model_copy(update={"ca_file": tmp_path / "nowhere"}))
    assert "nowhere" in (error.found or "")


def test_an_empty_secret_is_not_sent(tmp_path: Path) -> None:
    with answering(200, "{}", tmp_path) as settings, connect(settings, Deadlines()) as vault:
        (tmp_path / "secret-id").write_text("\n", encoding="utf-8")
        with pytest.raises(Exception, match=r"vault\.secret_id_file"):
            enter(vault)
