"""A verb as a Job in the cluster, for a machine that reaches neither database nor golden volume.

Whatever becomes of this process: the Job has a deadline of its own and goes when it is old, and the
logins that were handed over go with it.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from harness.cluster import client
from harness.cluster.rights import needed_for_jobs
from harness.credentials.sources import logins
from harness.errors import (
    INTERRUPTED,
    ConfigurationError,
    FailedError,
    LifecycleError,
    RefusedError,
    UndoOutstandingError,
)
from harness.lifecycle.interrupts import Interrupts
from harness.manifests import Names
from harness.postgres.connection import Run
from harness.settings import ENVIRONMENT_PREFIX
from harness.sides import Prod, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.cluster.client import Cluster
    from harness.cluster.following import Ended
    from harness.cluster.jobs import JobState
    from harness.cluster.resources import Obj
    from harness.progress import Progress
    from harness.settings import Settings

_ERRORS = {
    each.exit_code: each
    for each in (FailedError, ConfigurationError, RefusedError, UndoOutstandingError)
}
_RESULTS = ("result", "error")
_AS_JSON = "--json"


def run_as_job(
    settings: Settings,
    verb: str,
    arguments: Sequence[str],
    progress: Progress,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Start a verb in the cluster, follow it, and return what it has achieved, as its JSON says it.

    Args:
        settings: The target.
        verb: What is to be done.
        arguments: Further arguments of its command.
        progress: Is told of what happens here.
        tell: Is told each line that the Job prints, but for its result.

    Raises:
        ConfigurationError, RefusedError: It cannot be started; nothing has been changed.
        LifecycleError: As the Job has failed, with the same exit code.
        UndoOutstandingError: It was killed, so what it has left is still to be undone.
    """
    names = settings.clustered(
        "there is no cluster to start a Job in",
        expected="the cluster that runs the sandbox's application",
    )
    run, printed = Run(), _Printed(tell)
    with (
        Interrupts() as interrupts,
        client.connect(names.for_jobs, settings.deadlines) as cluster,
        _handed_over(settings, run) as handed_over,
    ):
        with progress.phase("look whether a Job may be started"):
            template = _prepare(settings, cluster, verb)
        with interrupts.held_off(), ExitStack() as undo:
            secret = f"{cluster.jobs.target.name}-{run.id}" if handed_over else None
            job = cluster.jobs.create(
                template, run=run.id, verb=verb, arguments=[*arguments, _AS_JSON], secret=secret
            )
            undo.callback(_remove, cluster, job, progress)
            with interrupts.let_through():
                if secret is not None:
                    cluster.jobs.hand_over(job, secret, handed_over)
                with progress.phase(f"follow {cluster.jobs.target}"):
                    ended = _followed(cluster, job, printed, template)
    return printed.result(ended)


def _followed(cluster: Cluster, job: JobState, printed: _Printed, template: Obj) -> Ended:
    try:
        cluster.jobs.let_go(job)
        return cluster.follow(job, printed.take).to_its_end(_seconds(template))
    except KeyboardInterrupt as interrupt:
        interrupt.add_note("  the Job was told to end, puts everything back, and is removed")
        raise


def _prepare(settings: Settings, cluster: Cluster, verb: str) -> Obj:
    names = Names.of(cluster.settings)
    cluster.access.refuse_missing(
        needed_for_jobs(
            cluster.settings, names.template(verb), hand_over=settings.in_cluster.hand_over
        )
    )
    template = cluster.jobs.template(verb)
    cluster.jobs.refuse_another()
    return template


@contextmanager
def _handed_over(settings: Settings, run: Run) -> Iterator[dict[str, str]]:
    """What the Job is given here; what is leased for it is kept alive until the Job has ended."""
    if not settings.in_cluster.hand_over:
        yield {}
        return
    with logins(settings, run.id) as found:
        yield dict(_variables(found.settings))


def _variables(settings: Settings) -> Iterator[tuple[str, str]]:
    """The logins of these settings, as the variables that the Job takes them from."""
    sandbox = Sandbox.of(settings)
    yield f"{ENVIRONMENT_PREFIX}PROD__DSN", Prod.of(settings).login.conninfo
    yield f"{ENVIRONMENT_PREFIX}SANDBOX__DSN", sandbox.login.conninfo
    if settings.sandbox.application_dsn is not None:
        yield f"{ENVIRONMENT_PREFIX}SANDBOX__APPLICATION_DSN", sandbox.application.conninfo


def _seconds(template: Obj) -> int:
    """How long the Job may take."""
    seconds: int = template["spec"]["activeDeadlineSeconds"]
    return seconds


def _remove(cluster: Cluster, job: JobState, progress: Progress) -> None:
    try:
        with progress.phase("remove the Job, and what was handed over to it"):
            cluster.jobs.remove(job)
    except LifecycleError as error:
        raise UndoOutstandingError(
            f"{cluster.jobs.target} could not be removed",
            found=str(error).partition("\n")[0],
            expected="neither the Job nor the logins that were handed over to it",
            remedy="it goes by itself when it has ended and is old; at once by kubectl delete -n"
            f" {cluster.jobs.target.namespace} job/{cluster.jobs.target.name}",
        ) from error


class _Printed:
    """What a Job prints: lines for whoever follows it, and one that holds its result."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: dict[str, Any] = {}

    def take(self, line: str) -> None:
        """Take one line."""
        told = None
        with suppress(ValueError):
            told = json.loads(line)
        if isinstance(told, dict) and not told.keys().isdisjoint(_RESULTS):
            self._told = told
        else:
            self._tell(line)

    def result(self, ended: Ended) -> dict[str, Any]:
        """What it has achieved.

        Raises:
            LifecycleError: What it has failed by.
        """
        if ended.code == 0 and "result" in self._told:
            achieved: dict[str, Any] = self._told["result"]
            return achieved
        if "error" in self._told and self._told["error"]["exit_code"] == INTERRUPTED:
            raise FailedError(
                "the Job was told to end, and has put everything back",
                found=f"{ended.verdict}; {ended.told}",
                expected="a run that comes to its end by itself",
                remedy="look who has deleted its pod, or allow it more in_cluster.job_seconds",
            )
        if "error" in self._told:
            raise _error(self._told["error"])
        raise UndoOutstandingError(
            "the Job has died without a word",
            found=f"{ended.verdict}; exit code {ended.code}; {ended.told}",
            expected="a run that ends by itself, and says how",
            remedy="sandbox-lifecycle recover --job, where no watchdog does so by itself",
        )


def _error(told: dict[str, Any]) -> LifecycleError:
    """The error of a Job, as this process's own."""
    parts = ("found", "expected", "remedy")
    kind = _ERRORS.get(told["exit_code"], FailedError)
    error = kind(told["what"], **{name: told.get(name) for name in parts})
    for note in told.get("notes", ()):
        error.add_note(f"  {note}")
    return error
