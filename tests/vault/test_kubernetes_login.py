"""The way in as the service account of a pod: Vault asks a cluster who the token belongs to.

The cluster is a stub that answers that one question (TokenReview), with the objects that a real one
answers with. The token is read, the login made and the rights had are Vault's own.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from harness.credentials.sources import logins
from harness.credentials.vault import setup
from harness.errors import ConfigurationError
from harness.lifecycle.status import status
from harness.postgres.connection import Run
from harness.progress import Silent
from harness.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .place import Place

NAMESPACE, ROLE, MOUNT = "erp-sandbox", "harness", "kubernetes"
_UID = "0f0c8a4e-5c1e-4d0e-9a52-6f2b9a0b3d11"


def token(account: str) -> str:
    """A token of a service account; who signed it is what Vault asks the cluster."""
    claims = {
        "iss": "kubernetes/serviceaccount",
        "sub": f"system:serviceaccount:{NAMESPACE}:{account}",
        "kubernetes.io/serviceaccount/namespace": NAMESPACE,
        "kubernetes.io/serviceaccount/service-account.name": account,
        "kubernetes.io/serviceaccount/service-account.uid": _UID,
    }
    parts = [json.dumps({"alg": "RS256", "typ": "JWT"}), json.dumps(claims), account]
    return ".".join(base64.urlsafe_b64encode(each.encode()).decode().rstrip("=") for each in parts)


class Reviews(BaseHTTPRequestHandler):
    """Answers TokenReviews: who is in `sub` is who it is."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        claims = body["spec"]["token"].split(".")[1]
        name = json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"]
        user = {"username": name, "uid": _UID, "groups": ["system:serviceaccounts"]}
        body["status"] = {"authenticated": True, "user": user}
        text = json.dumps(body).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the parent's name
        """Say nothing."""


@contextmanager
def cluster() -> Iterator[tuple[str, str]]:
    """Its address, and the certificate of its authority."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(("127.0.0.1", 0), Reviews) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}", authority.cert_pem.bytes().decode()
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def settings(place: Place, tmp_path: Path) -> Iterator[Settings]:
    """The target, with a pod's own token as the way in."""
    values = place.settings.model_dump(exclude_none=True)
    for name in ("role_id", "secret_id_file"):
        del values["vault"][name]
    values["vault"] |= {"kubernetes_role": ROLE, "token_file": str(tmp_path / "token")}
    found = Settings.of(values, origin="the test")
    admin = place.vault.admin
    admin.sys.enable_auth_method("kubernetes", path=MOUNT)
    bound = {
        "bound_service_account_names": [setup.NAME],
        "bound_service_account_namespaces": [NAMESPACE],
    }
    _, of_token = setup.auth_role(place.settings)
    with cluster() as (address, authority):
        admin.adapter.post(
            f"/v1/auth/{MOUNT}/config",
            json={
                "kubernetes_host": address,
                "kubernetes_ca_cert": authority,
                "disable_local_ca_jwt": True,
            },
        )
        admin.adapter.post(f"/v1/auth/{MOUNT}/role/{ROLE}", json={**bound, **of_token})
        yield found
    admin.sys.disable_auth_method(MOUNT)


def test_the_account_of_a_pod_leases_its_logins(
    place: Place, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(token(setup.NAME), encoding="utf-8")
    with logins(settings, Run().id):
        assert len(place.leased()) == 2
    place.vault.await_no_leases()
    assert status(settings, Silent()).content == "complete"


def test_another_account_of_the_namespace_gets_none(
    place: Place, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(token("default"), encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused, logins(settings, Run().id):
        pass
    assert "log in to" in refused.value.what
    assert place.leased() == []


def test_a_token_that_is_not_there_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused, logins(settings, Run().id):
        pass
    assert str(tmp_path / "token") in (refused.value.found or "")
