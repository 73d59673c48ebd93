"""One container: a process that is started, watched, probed, and started again when it ends."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import aiohttp

from harness.local.kubernetes import processes
from harness.local.kubernetes.controllers import volumes
from harness.local.kubernetes.controllers.environment import (
    MissingReferenceError,
    command_of,
    environment_of,
    expand,
)
from harness.local.kubernetes.registry import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.local.kubernetes.processes import Process
    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Store

_FIRST_BACKOFF = 10.0
_LONGEST_BACKOFF = 300.0
_CONFIG_RETRY = 2.0
_PROBE_PERIOD = 10
# What is Ready is asked no more often than a kubelet can be told to: nobody waits for the answer,
# and each costs a session on the database.
_READY_PROBE_PERIOD = 1.0


class Container:
    """The life of one container of a pod.

    Args:
        store: Where the variables come from.
        pod: The pod, as it was when its life began.
        spec: The container's part of it.
        directory: The pod's own directory, with log and record of the process.
        speed: How much faster than in life time runs.
        publish: Called after every change of state.
    """

    def __init__(
        self,
        store: Store,
        *,
        pod: Obj,
        spec: Obj,
        directory: Path,
        speed: float,
        publish: Callable[[], None],
    ) -> None:
        self._store = store
        self._pod = pod
        self._spec = spec
        self._log = directory / f"{spec['name']}.log"
        self._directory = directory
        self._speed = speed
        self._publish = publish
        self._process: Process | None = processes.recorded(self._log)
        known = pod.get("status", {}).get("containerStatuses", [])
        before: Obj = next((each for each in known if each["name"] == spec["name"]), {})
        self._restarts: int = before.get("restartCount", 0)
        self._ready: bool = before.get("ready", False) and self._process is not None
        self._state: Obj = {"waiting": {"reason": "ContainerCreating"}}
        self._ending = False
        self._starting = asyncio.Lock()  # a process half started must not be missed by `end`

    @property
    def ended_with(self) -> int | None:
        """The exit code, once it will not be started again."""
        code: int | None = self._state.get("terminated", {}).get("exitCode")
        return code

    @property
    def has_started(self) -> bool:
        """Whether its process runs or has run."""
        return self._restarts > 0 or "waiting" not in self._state

    @property
    def status(self) -> Obj:
        """Its entry in the pod's status."""
        return {
            "name": self._spec["name"],
            "image": self._spec.get("image", ""),
            "imageID": "",
            "ready": self._ready,
            "started": "running" in self._state,
            "restartCount": self._restarts,
            "state": self._state,
        }

    async def live(self) -> None:
        """Run until the process has ended for good."""
        backoff = _FIRST_BACKOFF
        while True:
            if self._process is None and not await self._start():
                return
            code = await self._run()
            self._process, self._ready = None, False
            policy = self._pod["spec"].get("restartPolicy", "Always")
            if self._ending or policy == "Never" or (policy == "OnFailure" and code == 0):
                reason = "Completed" if code == 0 else "Error"
                self._become({"terminated": {"exitCode": code, "reason": reason}})
                return
            self._restarts += 1
            self._become({"waiting": {"reason": "CrashLoopBackOff"}})
            await asyncio.sleep(backoff / self._speed)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)

    async def end(self, grace: float) -> None:
        """Ask the process to end, end it when its time is over, and wait until it is gone."""
        self._ending = True
        async with self._starting:
            process = self._process
        if process is None:
            return
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace / self._speed)
        process.kill()
        await process.wait()

    async def _start(self) -> bool:
        """Start the process, as soon as what it refers to is there."""
        while not self._ending:
            try:
                variables = environment_of(self._store, self._pod, self._spec)
                volumes.fill(self._store, self._pod, self._spec, self._directory.parents[1])
            except MissingReferenceError as error:
                reason = {"reason": "CreateContainerConfigError", "message": str(error)}
                self._become({"waiting": reason})
                await asyncio.sleep(_CONFIG_RETRY / self._speed)
                continue
            async with self._starting:
                if self._ending:
                    break
                self._process = await processes.start(
                    command_of(self._spec, variables),
                    environment=variables,
                    log=self._log,
                    directory=self._directory,
                )
            return True
        return False

    async def _run(self) -> int:
        process = self._process
        if process is None:
            return processes.UNKNOWN_EXIT
        if "readinessProbe" not in self._spec:
            self._ready = True
        self._become({"running": {"startedAt": timestamp()}})
        probing = asyncio.create_task(self._probe(self._spec.get("readinessProbe")))
        try:
            return await process.wait()
        finally:
            probing.cancel()

    def _become(self, state: Obj) -> None:
        self._state = state
        self._publish()

    async def _probe(self, probe: Obj | None) -> None:
        if probe is None:
            return
        period = probe.get("periodSeconds", _PROBE_PERIOD) / self._speed
        failures, allowed = 0, probe.get("failureThreshold", 3)
        await asyncio.sleep(probe.get("initialDelaySeconds", 0) / self._speed)
        while True:
            passed = await self._ask(probe)
            failures = 0 if passed else failures + 1
            ready = passed or (self._ready and failures < allowed)
            if ready is not self._ready:
                self._ready = ready
                self._publish()
            await asyncio.sleep(max(period, _READY_PROBE_PERIOD) if ready else period)

    async def _ask(self, probe: Obj) -> bool:
        timeout = probe.get("timeoutSeconds", 1)  # a process is no faster in a fast stand-in
        try:
            async with asyncio.timeout(timeout):
                if "httpGet" in probe:
                    return await self._ask_http(probe["httpGet"])
                if "tcpSocket" in probe:
                    port = self._port(probe["tcpSocket"]["port"])
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return True
                return await self._ask_command(probe["exec"]["command"])
        except (TimeoutError, OSError, aiohttp.ClientError):
            return False

    async def _ask_http(self, get: Obj) -> bool:
        scheme = get.get("scheme", "HTTP").lower()
        url = f"{scheme}://127.0.0.1:{self._port(get['port'])}{get.get('path', '/')}"
        headers = {each["name"]: each["value"] for each in get.get("httpHeaders", [])}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(url, ssl=False, allow_redirects=False) as answer,
        ):
            return answer.status < 400  # noqa: PLR2004  the kubelet's rule: 200 to 399

    async def _ask_command(self, command: list[str]) -> bool:
        asked = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment_of(self._store, self._pod, self._spec),
            cwd=self._directory,
        )
        try:
            return await asked.wait() == 0
        finally:
            if asked.returncode is None:
                asked.kill()

    def _port(self, port: int | str) -> int:
        """The number of a port, which may be given by name; it may come from a variable, too."""
        for each in self._spec.get("ports", []):
            if each.get("name") == port:
                return int(each["containerPort"])
        return int(expand(str(port), environment_of(self._store, self._pod, self._spec)))
