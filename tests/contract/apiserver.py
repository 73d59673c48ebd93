"""A kube-apiserver with its etcd, from programs that `KUBEBUILDER_ASSETS` names."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import ssl
import subprocess
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

from harness.deadlines import Deadline, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

ASSETS = "KUBEBUILDER_ASSETS"
_START = Deadline(60, "a second on an idle machine")


@contextmanager
def running_apiserver(directory: Path) -> Iterator[Path]:
    """Start both; yields the administrator's kubeconfig."""
    assets = Path(os.environ[ASSETS])
    etcd_port, peer_port, port = (_free_port() for _ in range(3))
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(directory / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(directory / "certificate.pem")
    authority.cert_pem.write_to_path(directory / "authority.pem")
    token = secrets.token_hex()
    (directory / "tokens.csv").write_text(f'{token},admin,1,"system:masters"\n')
    with ExitStack() as stack:
        _run(
            stack,
            directory / "etcd.log",
            assets / "etcd",
            f"--data-dir={directory / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls=http://127.0.0.1:{etcd_port}",
            f"--advertise-client-urls=http://127.0.0.1:{etcd_port}",
            f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
        )
        _run(
            stack,
            directory / "apiserver.log",
            assets / "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{etcd_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--tls-cert-file={directory / 'certificate.pem'}",
            f"--tls-private-key-file={directory / 'key.pem'}",
            f"--token-auth-file={directory / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            # It waits for objects that only a controller manager makes.
            "--disable-admission-plugins=ServiceAccount",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://contract.invalid",
            f"--service-account-key-file={directory / 'key.pem'}",
            f"--service-account-signing-key-file={directory / 'key.pem'}",
        )
        url = f"https://127.0.0.1:{port}"
        context = ssl.create_default_context(cafile=str(directory / "authority.pem"))

        def ready() -> None:
            with urllib.request.urlopen(f"{url}/readyz", context=context, timeout=2):  # noqa: S310  our own address
                pass

        eventually(ready, _START)
        ca = base64.b64encode((directory / "authority.pem").read_bytes()).decode()
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "real", "cluster": {"server": url, "certificate-authority-data": ca}}
            ],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "admin"}}],
            "current-context": "real",
        }
        path = directory / "kubeconfig"
        path.write_text(json.dumps(kubeconfig))
        yield path


def _run(stack: ExitStack, log: Path, program: Path, *arguments: str) -> None:
    output = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(
        [program, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
