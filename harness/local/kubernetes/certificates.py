"""A certificate for 127.0.0.1, kept with the state: kubectl sends its token over TLS only."""

from __future__ import annotations

import base64
import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


def server_context(state: Path) -> ssl.SSLContext:
    """What the server shows; made at the first start."""
    if not _chain(state).exists():
        authority = trustme.CA(organization_name="API stand-in")
        certificate = authority.issue_cert("127.0.0.1", "localhost")
        authority.cert_pem.write_to_path(_authority(state))
        pem = certificate.private_key_and_cert_chain_pem.bytes()
        fresh = _chain(state).with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(pem)
        fresh.replace(_chain(state))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(_chain(state))
    return context


def authority(state: Path) -> str:
    """The authority's certificate as a kubeconfig holds it."""
    return base64.b64encode(_authority(state).read_bytes()).decode()


def _chain(state: Path) -> Path:
    return state / "server.pem"


def _authority(state: Path) -> Path:
    return state / "authority.pem"
