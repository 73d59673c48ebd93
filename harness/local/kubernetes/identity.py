"""Who a bearer token stands for: the administrator, or a service account of the store."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.local.kubernetes.resources import SERVICE_ACCOUNTS
from harness.local.kubernetes.status import unauthorized

if TYPE_CHECKING:
    from pathlib import Path

    from harness.local.kubernetes.store import Store

MASTERS = "system:masters"
_PREFIX = "system:serviceaccount"


@dataclass(frozen=True, slots=True)
class User:
    """A caller."""

    name: str
    groups: tuple[str, ...]


class Tokens:
    """Issues and reads tokens. They are signed, so none is kept, and all survive a restart.

    Args:
        directory: Where the signing key and the administrator's token are kept.
        store: A token is void without the service account that it was issued for.
    """

    def __init__(self, directory: Path, store: Store) -> None:
        self._store = store
        self._key = _secret(directory / "signing.key").encode()
        self.admin = _secret(directory / "admin.token")

    def issue(self, namespace: str, name: str, uid: str, seconds: int) -> tuple[str, float]:
        """A token of a service account, and when it ends, in seconds of the epoch."""
        end = time.time() + seconds
        claims = {"sub": f"{_PREFIX}:{namespace}:{name}", "uid": uid, "exp": end}
        body = ".".join(_encode(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims))
        return f"{body}.{self._sign(body)}", end

    def user(self, authorization: str) -> User:
        """The caller that an `Authorization` header names, or 401."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized()
        if hmac.compare_digest(token.encode(), self.admin.encode()):
            return User("admin", (MASTERS, "system:authenticated"))
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(body).encode()):
            raise unauthorized()
        claims: dict[str, Any] = json.loads(_decode(body.partition(".")[2]))
        _, _, namespace, name = claims["sub"].split(":")
        account = self._store.get(SERVICE_ACCOUNTS, namespace, name)
        gone = account is None or account["metadata"]["uid"] != claims["uid"]
        if gone or claims["exp"] < time.time():
            raise unauthorized()
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
        return User(claims["sub"], (*groups, "system:authenticated"))

    def _sign(self, body: str) -> str:
        return _encode(hmac.new(self._key, body.encode(), hashlib.sha256).digest())


def _secret(path: Path) -> str:
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32))
        fresh.replace(path)
    return path.read_text()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
