"""An ERP that runs as it would in a pod: told by its environment alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from harness.deadlines import Deadline, eventually
from harness.local.cluster import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.sides import Login

SOON = Deadline(15, "a process starts in half a second, on an idle machine")


class Running:
    """A process of it.

    Args:
        port: Where it listens.
        process: The process.
        log: What it wrote.
    """

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = process
        self.log = log

    def ask(self, path: str, method: str = "GET", body: Any = None) -> tuple[int, str]:
        sent = None if body is None else json.dumps(body).encode()
        try:
            request = Request(self.url + path, sent, method=method)  # noqa: S310  our own address
            with urlopen(request, timeout=SOON.seconds) as answer:  # noqa: S310  as above
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SOON.seconds)


@contextmanager
def erp(login: Login, tmp_path: Path, **told: str) -> Iterator[Running]:
    (port,) = free_ports(1)
    log = tmp_path / "erp.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "harness.local.erp"],
            stdout=output,
            stderr=output,
            env=os.environ | {"PORT": str(port), "ERP_DSN": login.conninfo} | told,
        ) as process,
    ):
        running = Running(port, process, log)
        try:
            eventually(lambda: running.ask("/ready"), SOON)
            yield running
        finally:
            process.kill()
