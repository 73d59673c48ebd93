"""etcd, the API server, the controller manager and the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stage import record
from tests.stage.certificates import Authority, write_key
from tests.stage.components import Component
from tests.stage.host import NODE_ADDRESS
from tests.stage.places import API_PORT, API_URL, LOOPBACK, PODS, PORTS, SERVICES, at

if TYPE_CHECKING:
    from tests.stage.places import Places


def etcd(places: Places) -> tuple[Component, list[str]]:
    """The store, and the options by which the API server reaches it.

    It has an authority of its own: else any client of the API could read and write past it.
    """
    authority = Authority(places.directory / "etcd-certificates", "etcd-authority")
    pair = authority.issue("etcd", "etcd", addresses=(LOOPBACK,))
    own, peers = f"https://{at('etcd')}", f"https://{at('etcd, for its peers')}"
    component = Component(
        "etcd",
        (
            places.program("etcd"),
            "--name=stage",
            f"--data-dir={places.folder('etcd')}",
            # Its data is thrown away with the stage.
            "--unsafe-no-fsync",
            f"--listen-client-urls={own}",
            f"--advertise-client-urls={own}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=stage={peers}",
            f"--cert-file={pair.certificate}",
            f"--key-file={pair.key}",
            f"--trusted-ca-file={authority.path}",
            "--client-cert-auth",
            f"--peer-cert-file={pair.certificate}",
            f"--peer-key-file={pair.key}",
            f"--peer-trusted-ca-file={authority.path}",
            "--peer-client-cert-auth",
            "--log-level=warn",
        ),
        f"tcp://{at('etcd')}",
    )
    return component, [
        f"--etcd-servers={own}",
        f"--etcd-cafile={authority.path}",
        f"--etcd-certfile={pair.certificate}",
        f"--etcd-keyfile={pair.key}",
    ]


def apiserver(places: Places, store: list[str]) -> Component:
    """The API server, on the node's address."""
    served = places.authority.issue("apiserver", "apiserver", addresses=(NODE_ADDRESS, LOOPBACK))
    to_kubelet = places.authority.issue("apiserver-kubelet", "apiserver", "system:masters")
    front = places.authority.issue("front-proxy", "front-proxy")
    signing = write_key(places.directory / "certificates" / "service-accounts.key")
    return Component(
        "kube-apiserver",
        (
            places.program("kube-apiserver"),
            *store,
            f"--bind-address={NODE_ADDRESS}",
            f"--advertise-address={NODE_ADDRESS}",
            f"--secure-port={API_PORT}",
            f"--tls-cert-file={served.certificate}",
            f"--tls-private-key-file={served.key}",
            f"--client-ca-file={places.authority.path}",
            f"--kubelet-certificate-authority={places.authority.path}",
            f"--kubelet-client-certificate={to_kubelet.certificate}",
            f"--kubelet-client-key={to_kubelet.key}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={places.authority.path}",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={front.certificate}",
            f"--proxy-client-key-file={front.key}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged",
            f"--service-cluster-ip-range={SERVICES}",
            f"--service-account-issuer={API_URL}",
            f"--service-account-key-file={signing}",
            f"--service-account-signing-key-file={signing}",
            "--profiling=false",
            *record.options(places),
            # Told to end, it would wait a minute for its watchers.
            "--shutdown-watch-termination-grace-period=1s",
        ),
        f"{API_URL}/readyz",
    )


def controller_manager(places: Places) -> Component:
    """The controllers of Kubernetes itself."""
    name = "kube-controller-manager"
    access = places.kubeconfig(name, f"system:{name}")
    pair = places.authority.issue(name, name, addresses=(LOOPBACK,))
    authority = places.authority.path
    return Component(
        name,
        (
            places.program(name),
            *_way_in(access),
            *_served(name, str(pair.certificate), str(pair.key)),
            f"--service-account-private-key-file={authority.with_name('service-accounts.key')}",
            f"--root-ca-file={authority}",
            f"--cluster-cidr={PODS}",
            "--use-service-account-credentials",
            # A claim is bound within 2 s, not 11.
            "--pvclaimbinder-sync-period=2s",
        ),
        f"https://{at(name)}/healthz",
    )


def scheduler(places: Places) -> Component:
    """Puts every pod on the one node."""
    name = "kube-scheduler"
    access = places.kubeconfig(name, f"system:{name}")
    pair = places.authority.issue(name, name, addresses=(LOOPBACK,))
    served = _served(name, str(pair.certificate), str(pair.key))
    return Component(
        name,
        (places.program(name), *_way_in(access), *served),
        f"https://{at(name)}/healthz",
    )


def _way_in(kubeconfig: object) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        # There is one of it; to be elected would cost it 15 s after each restart.
        "--leader-elect=false",
    ]


def _served(name: str, certificate: str, key: str) -> list[str]:
    address, port = PORTS[name]
    return [
        f"--bind-address={address}",
        f"--secure-port={port}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
    ]
