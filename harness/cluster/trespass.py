"""Writes that the harness must not be able to make on the sandbox's Application, rehearsed.

RBAC grants the right to patch an Application as a whole; that the harness may change no more of it
than the pause is the admission policy's work. Every one of these is sent with `dryRun=All`: nothing
is written, whatever is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.cluster.errors import ApiError, ForbiddenError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.cluster.resources import Obj

PROBE = "sandbox-lifecycle-probe"
"""What is written where the value does not matter; it stands nowhere afterwards."""

Outcome = Literal["denied", "no effect", "accepted", "refused for another reason"]

_DENIES = ("ValidatingAdmissionPolicy", "admission webhook", "denied the request")


@dataclass(frozen=True, slots=True)
class Write:
    """One write that must not be possible.

    Args:
        name: What it would change; the same in every run.
        harm: What could be done with it.
        outcome: What came of it.
        told: What the API server said.
    """

    name: str
    harm: str
    outcome: Outcome
    told: str

    @property
    def prevented(self) -> bool:
        """Whether it would have changed nothing."""
        return self.outcome in {"denied", "no effect"}


def rehearse(found: Obj, prod_namespace: str, attempt: Callable[[Obj], Obj]) -> Iterator[Write]:
    """Attempt each of them, one after the other.

    Args:
        found: The Application as it is.
        prod_namespace: Where it must not be made to deploy.
        attempt: Sends a merge patch with `dryRun=All` and returns what it would leave.

    Raises:
        UnavailableError: The API server does not answer.
    """
    for name, harm, patch in _forbidden(found, prod_namespace):
        outcome, told = _outcome(found, patch, attempt)
        yield Write(name, harm, outcome, told)


def _forbidden(found: Obj, prod_namespace: str) -> Iterator[tuple[str, str, Obj]]:
    metadata, spec = found["metadata"], found["spec"]
    revision = {"targetRevision": PROBE}
    sync = {"sync": {"revision": PROBE}}
    yield "operation", "it syncs any revision at once", {"operation": sync}
    yield "source", "it deploys from another place", {"spec": {"source": revision}}
    sources = [{**(spec.get("source") or {"repoURL": "https://invalid"}), **revision}]
    yield "sources", "it deploys from another place", {"spec": {"sources": sources}}
    destination = {"namespace": prod_namespace}
    yield "destination", "it deploys into prod's namespace", {"spec": {"destination": destination}}
    yield "project", "another project may deploy elsewhere", {"spec": {"project": PROBE}}
    options = {"syncOptions": ["Replace=true", f"{PROBE}=true"]}
    yield "sync options", "it replaces and deletes what it syncs", {"spec": {"syncPolicy": options}}
    finalizers = [*(metadata.get("finalizers") or []), f"{PROBE}/finalizer"]
    yield "finalizers", "a deletion takes more, or hangs", {"metadata": {"finalizers": finalizers}}
    yield "labels", "selectors of others take it", {"metadata": {"labels": {PROBE: "true"}}}
    annotations = {"argocd.argoproj.io/skip-reconcile": PROBE}
    yield "annotations", "Argo CD is told to ignore it", {"metadata": {"annotations": annotations}}
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": PROBE, "uid": PROBE}
    owners = [*(metadata.get("ownerReferences") or []), owner]
    yield "owners", "it is deleted with its owner", {"metadata": {"ownerReferences": owners}}
    status = {"sync": {"status": "Unknown", "revision": PROBE}}
    yield "status", "Argo CD believes what it reads there", {"status": status}


def _outcome(found: Obj, patch: Obj, attempt: Callable[[Obj], Obj]) -> tuple[Outcome, str]:
    try:
        left = attempt(patch)
    except UnavailableError:
        raise
    except ApiError as error:
        told = error.found or error.what
        denied = isinstance(error, ForbiddenError) or any(word in told for word in _DENIES)
        return ("denied" if denied else "refused for another reason"), told
    if _is_same(patch, found, left):
        return "no effect", "the API server dropped it"
    return "accepted", "the API server would have written it"


def _is_same(patch: Any, before: Any, after: Any) -> bool:
    """Whether nothing of what a merge patch names has changed; others may write meanwhile."""
    if not isinstance(patch, dict):
        return bool(before == after)
    return all(_is_same(each, _part(before, key), _part(after, key)) for key, each in patch.items())


def _part(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
