"""Argo CD: Redis, the repo server, the application controller, and the objects that they need."""

from __future__ import annotations

import secrets
from enum import Enum
from typing import TYPE_CHECKING, Any

from tests.stage.certificates import write_private
from tests.stage.components import Component
from tests.stage.places import PORTS, at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stage.places import Places

NAMESPACE = "argocd"
CONTROLLER = "argocd-application-controller"
_REPO_SERVER = "argocd-repo-server"
_SECONDS = {"timeout": 1, "factor": 1, "cap": 2}


class SelfHeal(Enum):
    """How long Argo CD waits between two reverts of the same Application."""

    FAST = "fast"
    """A second, always."""
    DEFAULT = "default"
    """As delivered: two seconds, three times as long each time, and five minutes at most."""


def redis(places: Places) -> tuple[Component, str]:
    """The cache of the other two, and its password."""
    password = secrets.token_hex()
    address, port = PORTS["redis"]
    path = places.directory / "redis.conf"
    settings = [f"bind {address}", f"port {port}", f"requirepass {password}", 'save ""']
    settings.append(f"dir {places.folder('redis')}")
    write_private(path, "\n".join([*settings, ""]).encode())
    libraries = sorted((places.bundle / "debian" / "usr" / "lib").glob("*-linux-gnu"))
    environment = {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}
    component = Component(
        "redis", (places.program("redis-server"), str(path)), f"tcp://{at('redis')}", environment
    )
    return component, password


def repo_server(places: Places, password: str) -> Component:
    """Reads git and makes manifests of it."""
    address, port = PORTS[_REPO_SERVER]
    return Component(
        _REPO_SERVER,
        (
            places.program(_REPO_SERVER),
            f"--address={address}",
            f"--port={port}",
            f"--metrics-address={address}",
            f"--metrics-port={PORTS['argocd-repo-server, of its metrics'][1]}",
            f"--redis={at('redis')}",
            # It listens on the loopback address only.
            "--disable-tls",
            "--client-ca-path=",
            # What was pushed is seen by the next pass; by default it takes two minutes.
            "--revision-cache-expiration=5s",
            "--loglevel=warn",
        ),
        f"tcp://{at(_REPO_SERVER)}",
        _environment(places, password),
    )


def controller(places: Places, password: str, self_heal: SelfHeal) -> Component:
    """Compares the cluster with git, and heals it."""
    component = Component(
        CONTROLLER,
        (
            places.program(CONTROLLER),
            f"--namespace={NAMESPACE}",
            f"--redis={at('redis')}",
            f"--repo-server={at(_REPO_SERVER)}",
            "--repo-server-plaintext",
            f"--metrics-port={PORTS[CONTROLLER][1]}",
            "--app-resync=10",
            "--app-resync-jitter=0",
            "--loglevel=info",
        ),
        f"http://{at(CONTROLLER)}/healthz",
        _environment(places, password),
    )
    return healing(component, self_heal)


def healing(component: Component, self_heal: SelfHeal) -> Component:
    """The same controller with another back-off."""
    words = [word for word in component.command if not word.startswith("--self-heal-")]
    if self_heal is SelfHeal.FAST:
        words += [
            f"--self-heal-backoff-timeout-seconds={_SECONDS['timeout']}",
            f"--self-heal-backoff-factor={_SECONDS['factor']}",
            f"--self-heal-backoff-cap-seconds={_SECONDS['cap']}",
        ]
    return Component(component.name, tuple(words), component.answers_at, component.environment)


def objects(definitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What its installation would have put into the cluster, as far as the stage uses it."""
    ours = {"app.kubernetes.io/part-of": "argocd"}
    account = {"name": CONTROLLER, "namespace": NAMESPACE}
    settings = {name: {"name": name, "namespace": NAMESPACE, "labels": ours} for name in _SETTINGS}
    return [
        *definitions,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": CONTROLLER},
            "rules": [
                {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
                {"nonResourceURLs": ["*"], "verbs": ["*"]},
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": CONTROLLER},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": CONTROLLER,
            },
            "subjects": [{"kind": "ServiceAccount", **account}],
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": settings["argocd-cm"]},
        {"apiVersion": "v1", "kind": "Secret", "metadata": settings["argocd-secret"]},
    ]


def project() -> dict[str, Any]:
    """The project `default`, which allows everything; it can be made when its kind is known."""
    everywhere = {"namespace": "*", "server": "*"}
    everything = {"group": "*", "kind": "*"}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [everywhere],
            "clusterResourceWhitelist": [everything],
        },
    }


_SETTINGS = ("argocd-cm", "argocd-secret")


def _environment(places: Places, password: str) -> dict[str, str]:
    own = places.folder("argocd")
    folders = {
        "ARGOCD_TLS_DATA_PATH": "tls",
        "ARGOCD_SSH_DATA_PATH": "ssh",
        "ARGOCD_GPG_DATA_PATH": "gpg",
        "ARGOCD_GNUPGHOME": "gpg-home",
        "ARGOCD_PLUGINSOCKFILEPATH": "plugins",
        "ARGOCD_APP_CONF_PATH": "settings",
        "TMPDIR": "temporary",
    }
    return {
        **{name: str(places.folder(f"argocd/{folder}")) for name, folder in folders.items()},
        "ARGOCD_ASK_PASS_SOCK": str(own / "ask-pass.sock"),
        "ARGOCD_GPG_ENABLED": "false",
        # `https://kubernetes.default.svc` is the cluster of the kubeconfig: it runs in no pod.
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "KUBECONFIG": str(_way_in(places)),
        "REDIS_PASSWORD": password,
        "HOME": str(own),
        "PATH": f"{places.bundle / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        # No setting of whoever starts the stage.
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def _way_in(places: Places) -> Path:
    path = places.directory / "argocd.kubeconfig"
    if path.exists():
        return path
    # The user that a controller in a pod would be: policies and audits see what they would see.
    user = f"system:serviceaccount:{NAMESPACE}:{CONTROLLER}"
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")
    return places.kubeconfig("argocd", user, *groups)
