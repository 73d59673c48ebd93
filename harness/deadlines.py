"""Every time the harness waits: for what, for how long, and why that long. One table.

Nothing else in the project holds a timeout, and nothing sleeps: waiting is `eventually`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, TypeVar

import tenacity

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long one thing may take.

    Args:
        seconds: The time allowed, in seconds.
        reason: Why that long and no longer.
    """

    seconds: float
    reason: str

    @property
    def milliseconds(self) -> int:
        """The time allowed, in whole milliseconds, as PostgreSQL's settings take it."""
        return max(1, round(self.seconds * 1000))


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The table of every deadline. `scaled` stretches it as a whole, for a slow machine."""

    connect: Deadline = Deadline(10, "a server that is up answers in a second; a busy one gets ten")
    lock: Deadline = Deadline(10, "a wipe queues behind open transactions, and others behind it")
    drain: Deadline = Deadline(30, "a request of the application ends within PHP's limit of 30 s")
    server_start: Deadline = Deadline(60, "half a second when idle; after a crash WAL comes first")
    server_stop: Deadline = Deadline(30, "a fast shutdown writes a checkpoint, on a slow disk too")
    api_start: Deadline = Deadline(30, "a second when idle; a busy machine of one core gets thirty")
    api_stop: Deadline = Deadline(10, "its pods are killed, not asked")
    container_start: Deadline = Deadline(300, "the first start pulls the image")
    tool_exit: Deadline = Deadline(10, "a client tool told to end has only to close its sockets")
    session_end: Deadline = Deadline(10, "a backend ends within ms of its client's last word")
    leftover: Deadline = Deadline(60, "a backend whose client died first ends its present index")
    api_answer: Deadline = Deadline(
        10, "an API server answers in milliseconds; after ten s it is ill"
    )
    api_outage: Deadline = Deadline(
        30, "one that restarts is back by then; a lease lasts twice that"
    )
    vault_answer: Deadline = Deadline(
        10, "Vault makes a login in a fraction of a second; PostgreSQL may be busy"
    )
    argocd_pass: Deadline = Deadline(120, "a pass takes 0.2 s; a sync under way before it, minutes")
    pods_gone: Deadline = Deadline(90, "a grace period of 30 s, then the kubelet and its volumes")
    application_answer: Deadline = Deadline(
        30, "a pod that is Ready answers at once; its first request may warm it up"
    )
    pods_ready: Deadline = Deadline(300, "the image may have to be pulled, then PHP warms up")
    lease_takeover: Deadline = Deadline(
        180, "three leases of the default length; none waits longer"
    )
    job_start: Deadline = Deadline(
        300, "the image may have to be pulled, and the volume brought to the node"
    )
    job_poll: Deadline = Deadline(1, "how often a Job is asked for what it has printed since")
    job_end: Deadline = Deadline(
        660, "a pod that is told to end has ten minutes to put everything back"
    )
    job_claim: Deadline = Deadline(
        30, "whoever makes a Job lets it begin at once; one that waits for longer is nobody's"
    )
    watch_round: Deadline = Deadline(
        5,
        "a watchdog that asks two questions every five seconds is no load, and no later than that",
    )
    watch_retry: Deadline = Deadline(
        30, "the longest pause after a failed attempt: what comes back is used within half a minute"
    )
    twin: Deadline = Deadline(
        120, "three seconds when idle; a schema of thousands of tables on a busy machine, a minute"
    )
    attempt: Deadline = Deadline(
        3, "a refusal takes a millisecond; what waits longer waits for something"
    )

    def scaled(self, factor: float) -> Deadlines:
        """The same table with every time multiplied by `factor`."""
        stretched = {
            field.name: replace(value, seconds=value.seconds * factor)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Deadline)
        }
        return replace(self, **stretched)


def eventually(
    probe: Callable[[], T],
    deadline: Deadline,
    *,
    every: float = 0.05,
    on: type[Exception] = Exception,
) -> T:
    """Call `probe` until it raises nothing, and return what it returned.

    Args:
        probe: Raises while the thing waited for is not there yet.
        deadline: When to give up; the last error is then raised as it came.
        every: Seconds between two calls.
        on: The error that means "not yet"; any other ends the wait at once.
    """
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_delay(deadline.seconds),
        wait=tenacity.wait_fixed(every),
        retry=tenacity.retry_if_exception_type(on),
        reraise=True,
    )
    return retrying(probe)
