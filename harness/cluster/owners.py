"""What stands above an Application and would undo its pause: an ApplicationSet, or a parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cluster.errors import ForbiddenError, MissingError
from harness.cluster.resources import APPLICATION_SETS, Target
from harness.errors import RefusedError
from harness.manifests import JOURNAL_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cluster.api import Api
    from harness.cluster.resources import Obj

_TRACKING_ANNOTATION = "argocd.argoproj.io/tracking-id"
_TRACKING_LABEL = "app.kubernetes.io/instance"
_POINTERS = {"/spec/syncPolicy", "/spec/syncPolicy/automated"}
_EXPRESSIONS = {".spec.syncPolicy", ".spec.syncPolicy.automated"}
_IGNORE = "ignoreApplicationDifferences with jsonPointers [/spec/syncPolicy]"
_PRESERVE = f"preservedFields.annotations with {JOURNAL_ANNOTATION}"
_HANDS_OFF = {"create-only", "create-delete"}


def refuse_owners(api: Api, target: Target, found: Obj, drops_enabled: Callable[[], bool]) -> None:
    """Keep the harness off an Application whose pause would not last.

    Args:
        api: The cluster's API.
        target: The Application.
        found: The Application as it is.
        drops_enabled: Whether a pause has to remove `automated`, which a parent puts back.

    Raises:
        RefusedError: Its owner would undo the pause; the setting that is missing there is named.
    """
    for reference in found["metadata"].get("ownerReferences") or []:
        if reference["kind"] == "ApplicationSet":
            _refuse_set(api, target, reference["name"])
    parent = _parent(found)
    if parent is not None:
        _refuse_parent(target, found, parent, drops_enabled)


def _refuse_set(api: Api, target: Target, name: str) -> None:
    owner = Target(APPLICATION_SETS, target.namespace, name)
    try:
        spec = api.get(owner)["spec"]
    except MissingError:
        return  # it is being deleted, and its Applications with it or not at all
    except ForbiddenError as error:
        raise _refusal(
            target,
            str(owner),
            found="the harness may not read it",
            expected=f"{_IGNORE}, and {_PRESERVE}",
            remedy=f"set both in {owner}, and grant get on it",
        ) from error
    if (spec.get("syncPolicy") or {}).get("applicationsSync") in _HANDS_OFF:
        return
    missing = []
    if not any(
        _ignores(each, target.name) for each in spec.get("ignoreApplicationDifferences") or []
    ):
        missing.append(_IGNORE)
    if JOURNAL_ANNOTATION not in ((spec.get("preservedFields") or {}).get("annotations") or []):
        missing.append(_PRESERVE)
    if missing:
        raise _refusal(
            target,
            str(owner),
            found=f"it has no {', and no '.join(missing)}",
            expected=f"{_IGNORE}, and {_PRESERVE}",
            remedy=f"add to spec of {owner}: {'; '.join(missing)}",
        )


def _ignores(difference: Obj, application: str) -> bool:
    if difference.get("name") not in {None, "", application}:
        return False
    pointers, expressions = difference.get("jsonPointers"), difference.get("jqPathExpressions")
    return not (_POINTERS.isdisjoint(pointers or []) and _EXPRESSIONS.isdisjoint(expressions or []))


def _parent(found: Obj) -> str | None:
    metadata = found["metadata"]
    tracking = (metadata.get("annotations") or {}).get(_TRACKING_ANNOTATION)
    if tracking:
        return str(tracking.partition(":")[0])
    return (metadata.get("labels") or {}).get(_TRACKING_LABEL)


def _refuse_parent(
    target: Target, found: Obj, parent: str, drops_enabled: Callable[[], bool]
) -> None:
    """Refuse a parent that would put back what a pause changes.

    It compares only what git says: `enabled: false` lasts unless git sets `enabled`, and a removed
    `automated` never does.
    """
    in_git = "enabled" in found["spec"]["syncPolicy"]["automated"]
    if not in_git and not drops_enabled():
        return
    raise _refusal(
        target,
        f"the parent Application {parent}",
        found="automated.enabled is set, so git sets it"
        if in_git
        else "this Argo CD knows no automated.enabled, so a pause must remove automated",
        expected="an Application whose manifest leaves automated.enabled out, on Argo CD 3.1",
        remedy="remove automated.enabled from the manifest in git"
        if in_git
        else "upgrade Argo CD to 3.1, or take the Application out of its parent",
    )


def _refusal(target: Target, owner: str, *, found: str, expected: str, remedy: str) -> RefusedError:
    return RefusedError(
        f"{owner} would undo the pause of {target}",
        found=found,
        expected=expected,
        remedy=f"{remedy}; nothing has been changed",
    )
