"""The kept local sandbox of this user: `local up`, `local status`, `local down`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import psycopg

from harness.errors import ConfigurationError, UndoOutstandingError
from harness.local import marks, runs
from harness.local.kubernetes import launch
from harness.settings import Settings

if TYPE_CHECKING:
    from harness.local.platform import LocalOptions
    from harness.progress import Progress


@dataclass(frozen=True, slots=True)
class Instance:
    """The kept local sandbox.

    Args:
        settings: The target's settings.
        description: The server.
        prod_origin: Where prod's content comes from.
        directory: Its directory.
        answers: Whether its server accepts a login now, and its cluster runs.
        cluster: Its cluster, or None where it has none.
        kubeconfig: The administrator's way into the cluster, for kubectl.
    """

    settings: Settings
    description: str
    prod_origin: str
    directory: str
    answers: bool
    cluster: str | None
    kubeconfig: str | None

    @classmethod
    def of(cls, run: runs.LocalRun) -> Self:
        """Read what a kept run has written down."""
        state = run.state()
        return cls(
            settings=Settings.of(state["settings"], origin=f"{run.path}"),
            description=state["description"],
            prod_origin=state["prod_origin"],
            directory=str(run.path),
            answers=_answers(state, run),
            cluster=state["cluster"],
            kubeconfig=state["kubeconfig"],
        )


def local_up(options: LocalOptions, progress: Progress) -> Instance:
    """Start a local sandbox that outlives this process.

    Raises:
        ConfigurationError: One is up already, or an option is wrong.
    """
    # Whoever looks at one that is up, or works on another target, starts no servers.
    from harness.local.platform import local_platform  # noqa: PLC0415

    with local_platform(replace(options, keep=True), progress) as platform:
        return Instance.of(platform.run)


def local_status() -> Instance | None:
    """The kept local sandbox, or None."""
    run = runs.kept_run()
    return None if run is None else Instance.of(run)


def local_down(progress: Progress) -> bool:
    """Remove the kept local sandbox; tells whether there was one.

    Raises:
        UndoOutstandingError: It is on a server of the user's that cannot be reached now.
    """
    runs.reap()
    run = runs.kept_run()
    if run is None:
        return False
    with progress.phase("remove the local sandbox"):
        state = run.state()
        if not state["is_ours"]:
            _remove_from_users_server(state, run)
        runs.discard_kept(run)
    return True


def load_settings() -> Settings:
    """The settings of the kept local sandbox, for commands that were given no other target.

    Raises:
        ConfigurationError: There is none, or its server is not running.
    """
    instance = local_status()
    if instance is None:
        raise ConfigurationError(
            "there is no sandbox to work on",
            found="no local sandbox is up, and no target was given",
            expected="one of the two",
            remedy="sandbox-lifecycle local up, or --target=live --sandbox-config=FILE",
        )
    if not instance.answers:
        raise ConfigurationError(
            "the local sandbox does not answer",
            found=f"no login to {instance.description}, or no {instance.cluster or 'cluster'}"
            f" ({instance.directory})",
            expected="both running, as local up left them",
            remedy="sandbox-lifecycle local down, then sandbox-lifecycle local up",
        )
    return instance.settings


def _answers(state: dict[str, Any], run: runs.LocalRun) -> bool:
    if state["cluster"] is not None and launch.find(run.cluster) is None:
        return False
    try:
        psycopg.connect(state["superuser"], connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _remove_from_users_server(state: dict[str, Any], run: runs.LocalRun) -> None:
    try:
        with psycopg.connect(state["superuser"], autocommit=True) as connection:
            marks.remove(connection, run.id)
    except psycopg.OperationalError as error:
        raise UndoOutstandingError(
            "the local sandbox is not removed from the server that it was laid out on",
            found=" ".join(str(error).split()),
            expected=f"a session on {state['description']}",
            remedy="start that server, then sandbox-lifecycle local down again",
        ) from error
