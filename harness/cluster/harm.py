"""What an identity could do to prod through the Kubernetes API: the table that an audit asks.

RBAC has no way to ask "what could hurt": each right is a question of its own. What this table does
not know of is found among the identity's own rules (`harness.cluster.rules`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cluster.rights import Right

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.settings.cluster import ClusterSettings

READ = ("get", "list", "watch")
ENTERING = frozenset({"exec", "attach", "portforward", "proxy", "ephemeralcontainers"})
"""Parts of an object that are entered by reading them: `get` on pods/exec opens a shell."""

ANY = "*"
"""As a verb, a group or a kind: every one, also those that nobody has thought of."""

_REMOVE = ("delete", "deletecollection")
_WRITE = ("create", "patch", "update", *_REMOVE)
_CHANGE = ("patch", "update")
_CONNECT = ("create", "get")
_GRANT = (*_WRITE, "bind", "escalate")

RUNS = "whoever runs something in a namespace has every Secret and account of it"
_ENTERS = "it reaches into what runs there"
_SECRETS = "credentials are in there"
_TAKES_RIGHTS = "it gives itself further rights"
_STOPS = "it stops what runs there, or changes it"
_DIVERTS = "it leads requests somewhere else"
_FILES = "files are on it"
_ADMISSION = "it lifts the limits on its own writes, or changes the writes of others"
_DEPLOYS = "it makes Argo CD deploy anything anywhere"
_ALL = "it may do everything, whatever there will be"
_LEADS = "it takes the lead from the controller that holds it, which then stands still"

_Table = tuple[tuple[str, str, str, tuple[str, ...], str], ...]

# Group, kind, part of it, verbs, and the harm; in every namespace that prod rests on.
_IN_NAMESPACE: _Table = (
    (ANY, ANY, "", (ANY, *READ, *_WRITE), _ALL),
    ("", "pods", "", _WRITE, RUNS),
    ("", "pods", "exec", _CONNECT, _ENTERS),
    ("", "pods", "attach", _CONNECT, _ENTERS),
    ("", "pods", "portforward", _CONNECT, _ENTERS),
    ("", "pods", "proxy", (*_CONNECT, "patch", "update", "delete"), _ENTERS),
    ("", "pods", "ephemeralcontainers", _CHANGE, _ENTERS),
    ("", "pods", "eviction", ("create",), _STOPS),
    ("", "pods", "binding", ("create",), _STOPS),
    ("", "pods", "resize", _CHANGE, _STOPS),
    ("", "pods", "status", _CHANGE, _STOPS),
    ("", "bindings", "", ("create",), _STOPS),
    ("", "podtemplates", "", _WRITE, RUNS),
    ("", "replicationcontrollers", "", _WRITE, RUNS),
    ("", "replicationcontrollers", "scale", _CHANGE, _STOPS),
    ("", "secrets", "", (*READ, *_WRITE), _SECRETS),
    ("", "serviceaccounts", "", (*_WRITE, "impersonate"), _TAKES_RIGHTS),
    ("", "serviceaccounts", "token", ("create",), _TAKES_RIGHTS),
    ("", "configmaps", "", _WRITE, _STOPS),
    ("", "services", "", _WRITE, _DIVERTS),
    ("", "services", "proxy", (*_CONNECT, "patch", "update", "delete"), _ENTERS),
    ("", "services", "status", _CHANGE, _DIVERTS),
    ("", "endpoints", "", _WRITE, _DIVERTS),
    ("", "persistentvolumeclaims", "", _WRITE, _FILES),
    ("", "persistentvolumeclaims", "status", _CHANGE, _FILES),
    ("", "limitranges", "", _WRITE, _STOPS),
    ("", "resourcequotas", "", _WRITE, _STOPS),
    ("apps", "deployments", "", _WRITE, RUNS),
    ("apps", "deployments", "scale", _CHANGE, _STOPS),
    ("apps", "statefulsets", "", _WRITE, RUNS),
    ("apps", "statefulsets", "scale", _CHANGE, _STOPS),
    ("apps", "replicasets", "", _WRITE, RUNS),
    ("apps", "replicasets", "scale", _CHANGE, _STOPS),
    ("apps", "daemonsets", "", _WRITE, RUNS),
    ("apps", "controllerrevisions", "", _WRITE, RUNS),
    ("batch", "jobs", "", _WRITE, RUNS),
    ("batch", "cronjobs", "", _WRITE, RUNS),
    ("autoscaling", "horizontalpodautoscalers", "", _WRITE, _STOPS),
    ("policy", "poddisruptionbudgets", "", _WRITE, _STOPS),
    ("networking.k8s.io", "ingresses", "", _WRITE, _DIVERTS),
    ("networking.k8s.io", "networkpolicies", "", _WRITE, _STOPS),
    ("discovery.k8s.io", "endpointslices", "", _WRITE, _DIVERTS),
    ("coordination.k8s.io", "leases", "", _WRITE, _LEADS),
    ("rbac.authorization.k8s.io", "roles", "", _GRANT, _TAKES_RIGHTS),
    ("rbac.authorization.k8s.io", "rolebindings", "", _WRITE, _TAKES_RIGHTS),
)

# In Argo CD's namespace, and in the sandbox's too: Argo CD can be told to look in any namespace.
_FOR_ARGOCD: _Table = (
    ("argoproj.io", "applications", "", _WRITE, _DEPLOYS),
    ("argoproj.io", "applicationsets", "", _WRITE, _DEPLOYS),
    ("argoproj.io", "appprojects", "", _WRITE, "it widens what Argo CD may deploy"),
)

_IN_CLUSTER: _Table = (
    (ANY, ANY, "", (ANY, *_WRITE), _ALL),
    ("", "users", "", ("impersonate",), _TAKES_RIGHTS),
    ("", "groups", "", ("impersonate",), _TAKES_RIGHTS),
    ("authentication.k8s.io", "uids", "", ("impersonate",), _TAKES_RIGHTS),
    ("authentication.k8s.io", "userextras", "", ("impersonate",), _TAKES_RIGHTS),
    ("authentication.k8s.io", "tokenreviews", "", ("create",), "it tries whether a token is good"),
    ("", "namespaces", "", _WRITE, "everything of prod is in one"),
    ("", "namespaces", "finalize", ("update",), "everything of prod is in one"),
    ("", "nodes", "", _WRITE, _STOPS),
    ("", "nodes", "proxy", (*_CONNECT, "patch", "update", "delete"), _ENTERS),
    ("", "nodes", "status", _CHANGE, _STOPS),
    ("", "persistentvolumes", "", _WRITE, _FILES),
    ("storage.k8s.io", "storageclasses", "", _WRITE, _FILES),
    ("storage.k8s.io", "volumeattachments", "", _WRITE, _FILES),
    ("storage.k8s.io", "csidrivers", "", _WRITE, _FILES),
    ("scheduling.k8s.io", "priorityclasses", "", _WRITE, _STOPS),
    ("networking.k8s.io", "ingressclasses", "", _WRITE, _DIVERTS),
    ("flowcontrol.apiserver.k8s.io", "flowschemas", "", _WRITE, _STOPS),
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", "", _WRITE, _STOPS),
    ("rbac.authorization.k8s.io", "clusterroles", "", _GRANT, _TAKES_RIGHTS),
    ("rbac.authorization.k8s.io", "clusterrolebindings", "", _WRITE, _TAKES_RIGHTS),
    ("certificates.k8s.io", "certificatesigningrequests", "", _WRITE, _TAKES_RIGHTS),
    ("certificates.k8s.io", "certificatesigningrequests", "approval", _CHANGE, _TAKES_RIGHTS),
    ("certificates.k8s.io", "certificatesigningrequests", "status", _CHANGE, _TAKES_RIGHTS),
    ("certificates.k8s.io", "signers", "", ("approve", "sign", "attest"), _TAKES_RIGHTS),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", _WRITE, _ADMISSION),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", "", _WRITE, _ADMISSION),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies", "", _WRITE, _ADMISSION),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings", "", _WRITE, _ADMISSION),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies", "", _WRITE, _ADMISSION),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings", "", _WRITE, _ADMISSION),
    ("apiextensions.k8s.io", "customresourcedefinitions", "", _WRITE, _STOPS),
    ("apiregistration.k8s.io", "apiservices", "", _WRITE, "it answers in the API server's place"),
)


@dataclass(frozen=True, slots=True)
class Harm:
    """A right that must be denied.

    Args:
        right: The right.
        why: What could be done with it.
    """

    right: Right
    why: str


def harms(settings: ClusterSettings) -> Iterator[Harm]:
    """Every right that the harness's identity must not have."""
    argocd = settings.argocd_namespace
    for namespace, table in (
        *((each, _IN_NAMESPACE) for each in settings.guarded),
        (argocd, _FOR_ARGOCD),
        (settings.namespace, _FOR_ARGOCD),
        ("", _IN_CLUSTER),
    ):
        for group, resource, part, verbs, why in table:
            for verb in verbs:
                yield Harm(Right(verb, group, resource, namespace, subresource=part), why)
    for verb in (*_CHANGE, "delete"):
        one = Right(verb, "argoproj.io", "applications", argocd, settings.prod_application)
        yield Harm(one, "it is prod's own Application")
        for each in settings.guarded:
            # Asked for by its name, a namespace lies in itself: a Role in it can grant this.
            yield Harm(Right(verb, "", "namespaces", each, each), "everything of prod is in it")
