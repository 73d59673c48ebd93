"""Run the stand-in: `python -m harness.local.kubernetes --state DIR`.

State, certificate, tokens and port are kept in the directory, so a stand-in that was killed is
simply started again. SIGTERM ends it with all its pods; after SIGKILL the pods go on, and the next
start adopts them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from harness.cluster.holder import birth
from harness.local.kubernetes import certificates, image, processes
from harness.local.kubernetes.audit import Audit
from harness.local.kubernetes.control import Control
from harness.local.kubernetes.controllers.argocd import ArgoCd
from harness.local.kubernetes.controllers.deployment import Deployments
from harness.local.kubernetes.controllers.garbage import Garbage
from harness.local.kubernetes.controllers.job import Jobs
from harness.local.kubernetes.controllers.kubelet import Kubelet
from harness.local.kubernetes.faults import Faults
from harness.local.kubernetes.git import Git
from harness.local.kubernetes.identity import Tokens
from harness.local.kubernetes.rbac import Rbac
from harness.local.kubernetes.registry import Registry
from harness.local.kubernetes.resources import NAMESPACES
from harness.local.kubernetes.server import Server
from harness.local.kubernetes.store import Store
from harness.local.kubernetes.validation import Validator

if TYPE_CHECKING:
    import ssl

    from harness.local.kubernetes.resources import Obj

_HOST = "127.0.0.1"


class Controller(Protocol):
    """What acts on the objects for as long as the stand-in lives."""

    async def run(self) -> None:
        """Work until cancelled."""


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="harness.local.kubernetes", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="directory that outlives a run")
    parser.add_argument("--port", type=int, default=0, help="0: the last one, or any that is free")
    parser.add_argument("--http", action="store_true", help="no TLS; kubectl then sends no token")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster time runs")
    parser.add_argument("--history", type=int, default=1000, help="changes a watch can resume from")
    parser.add_argument(
        "--application-namespaces", default="argocd", help="pattern: whose Applications are synced"
    )
    parser.add_argument(
        "--old-application-definition",
        action="store_true",
        help="drop automated.enabled without a word, as Argo CD before 3.1",
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    arguments.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (arguments.state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another stand-in uses {arguments.state}")
        image.prepare(arguments.state)
        asyncio.run(_serve(arguments))


async def _serve(arguments: argparse.Namespace) -> None:
    state: Path = arguments.state
    pods = state / "pods"
    pods.mkdir(mode=0o700, exist_ok=True)
    store = Store(state, arguments.history)
    registry = Registry(
        store, Validator(old_application_definition=arguments.old_application_definition)
    )
    _make_namespaces(registry)
    git, faults, tokens, audit = Git(state), Faults(), Tokens(state, store), Audit()
    argocd = ArgoCd(registry, git, arguments.speed, arguments.application_namespaces)
    door = Door(None if arguments.http else certificates.server_context(state))
    server = Server(
        registry=registry,
        tokens=tokens,
        rbac=Rbac(store),
        faults=faults,
        audit=audit,
        control=Control(
            store=store,
            faults=faults,
            git=git,
            argocd=argocd,
            audit=audit,
            go_away=door.go_away,
        ),
        pods=pods,
        speed=arguments.speed,
    )
    controllers: list[Controller] = [
        argocd,
        Deployments(registry),
        Garbage(registry),
        Jobs(registry, arguments.speed),
        Kubelet(registry, pods, arguments.speed),
    ]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(each.run()) for each in controllers]
    try:
        port = await door.open(server.application(), arguments.port or _last_port(state))
        _announce(state, port, tokens.admin, secure=not arguments.http)
        await stop.wait()
    finally:
        for task in tasks:
            task.cancel()
        await door.close()
        processes.purge(pods)


class Door:
    """The listening socket, which a test can have closed for a while."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0
        self._absence: asyncio.Task[None] | None = None

    async def open(self, application: web.Application, port: int) -> int:
        """Listen; returns the port."""
        self._runner = web.AppRunner(
            application, handler_cancellation=True, access_log=None, shutdown_timeout=0.5
        )
        await self._runner.setup()
        self._port = port
        await self._listen()
        self._port = int(self._runner.addresses[0][1])
        return self._port

    def go_away(self, seconds: float) -> None:
        """Refuse connections and cut those that are open; come back at the same address."""
        self._absence = asyncio.create_task(self._leave(seconds))

    async def close(self) -> None:
        """Stop serving."""
        if self._absence is not None:
            self._absence.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self) -> None:
        if self._runner is not None:
            self._site = web.TCPSite(self._runner, _HOST, self._port, ssl_context=self._context)
            await self._site.start()

    async def _leave(self, seconds: float) -> None:
        await asyncio.sleep(0.05)  # the answer to the order itself
        if self._site is not None:
            await self._site.stop()
        if self._runner is not None and self._runner.server is not None:
            for connection in self._runner.server.connections:
                connection.force_close()
        await asyncio.sleep(seconds)
        await self._listen()


def _make_namespaces(registry: Registry) -> None:
    for name in ("default", "kube-system"):
        if registry.store.get(NAMESPACES, "", name) is None:
            registry.create(NAMESPACES, "", {"metadata": {"name": name}})


def _last_port(state: Path) -> int:
    with contextlib.suppress(FileNotFoundError, ValueError):
        return int(json.loads((state / "endpoint.json").read_text())["port"])
    return 0


def _announce(state: Path, port: int, token: str, *, secure: bool) -> None:
    """Tell where the stand-in is, as the last thing: whoever waits for the file may connect."""
    url = f"{'https' if secure else 'http'}://{_HOST}:{port}"
    cluster: Obj = {"server": url}
    if secure:
        cluster["certificate-authority-data"] = certificates.authority(state)
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "stand-in", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "stand-in", "context": {"cluster": "stand-in", "user": "admin"}}],
        "current-context": "stand-in",
    }
    _write(state / "admin.kubeconfig", kubeconfig)
    pid = os.getpid()
    endpoint = {"url": url, "port": port, "pid": pid, "born": birth(pid)}
    _write(state / "endpoint.json", endpoint)
    print(url, flush=True)  # noqa: T201  what a person at a terminal waits for


def _write(path: Path, content: Obj) -> None:
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content))
    fresh.replace(path)


if __name__ == "__main__":
    main()
