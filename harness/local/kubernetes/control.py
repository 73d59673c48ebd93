"""The stand-in's own endpoint, `/stand-in/…`: what only a test can do to a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.local.kubernetes.status import bad_request, no_such_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.local.kubernetes.audit import Audit
    from harness.local.kubernetes.controllers.argocd import ArgoCd
    from harness.local.kubernetes.faults import Faults
    from harness.local.kubernetes.git import Git
    from harness.local.kubernetes.resources import Obj
    from harness.local.kubernetes.store import Store


class Control:
    """The orders, by name; each takes a JSON object and answers with one.

    Args:
        store: For `compact`.
        faults: For `faults`.
        git: For `git`.
        argocd: For `race`.
        audit: For `audit`.
        go_away: Refuses connections for so many seconds; for `outage`.
    """

    def __init__(
        self,
        *,
        store: Store,
        faults: Faults,
        git: Git,
        argocd: ArgoCd,
        audit: Audit,
        go_away: Callable[[float], None],
    ) -> None:
        self._store = store
        self._faults = faults
        self._git = git
        self._argocd = argocd
        self._audit = audit
        self._go_away = go_away

    def handle(self, what: str, body: Any) -> Obj:
        """Carry out one order.

        `faults` adds a fault, or clears all if the body is empty; `outage {"seconds": n}` refuses
        connections; `compact` forgets the watch history; `git` sets what the repository holds or
        whether it answers; `race {"application": name}` lets the pass of Argo CD that
        is under way when the Application is paused start a sync afterwards; `audit` tells which
        rights were used, and by whom.
        """
        orders = body if isinstance(body, dict) else {}
        match what:
            case "faults":
                if orders:
                    self._faults.order(orders)
                else:
                    self._faults.clear()
                return {"outstanding": self._faults.outstanding()}
            case "outage":
                self._go_away(float(orders["seconds"]))
                return {}
            case "compact":
                self._store.forget()
                return {"oldest": self._store.oldest}
            case "git":
                if unknown := orders.keys() - {"manifests", "reachable"}:
                    raise bad_request(f"git has no {sorted(unknown)}")
                self._git.change(**orders)
                return {"revision": self._git.revision, "reachable": self._git.reachable}
            case "race":
                self._argocd.race(orders["application"])
                return {}
            case "audit":
                return {"allowed": self._audit.told()}
            case _:
                raise no_such_path()
