"""The way into a cluster: nothing is guessed, and what does not work is told before any change."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import yaml
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import load_incluster_config
from kubernetes.config.kube_config import load_kube_config

from harness.cluster.access import Access
from harness.cluster.api import Api
from harness.cluster.application import Application
from harness.cluster.errors import before_any_change
from harness.cluster.following import Following
from harness.cluster.jobs import Jobs
from harness.cluster.lease import Lease
from harness.cluster.secret import Secrets
from harness.cluster.workload import Workload
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.cluster.jobs import JobState
    from harness.deadlines import Deadlines
    from harness.settings.cluster import ClusterSettings


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the harness uses of a cluster.

    Args:
        settings: Which cluster, and which objects in it.
        application: The Application of the sandbox.
        workload: The Deployment of the sandbox.
        lease: What keeps two runs apart.
        access: What the harness's identity may do.
        secrets: Where its logins may lie.
        jobs: The Job that is started from outside.
        follow: Follows one, and tells each line that it prints.
    """

    settings: ClusterSettings
    application: Application
    workload: Workload
    lease: Lease
    access: Access
    secrets: Secrets
    jobs: Jobs
    follow: Callable[[JobState, Callable[[str], None]], Following]


@contextmanager
def connect(settings: ClusterSettings, deadlines: Deadlines) -> Iterator[Cluster]:
    """Open the cluster, and ask it one question to see that it answers and knows who asks.

    Raises:
        ConfigurationError: The kubeconfig cannot be used, the context is unknown, the token has
            expired, or the API does not answer; nothing has been changed.
    """
    client = ApiClient(_configuration(settings))
    try:
        api = Api(client, deadlines)
        access = Access(api, settings)
        with before_any_change():
            access.introduce(deadlines.connect)
        jobs = Jobs(api, settings, deadlines)
        yield Cluster(
            settings=settings,
            application=Application(api, settings, deadlines),
            workload=Workload(api, settings, deadlines),
            lease=Lease(api, settings, deadlines),
            access=access,
            secrets=Secrets(api),
            jobs=jobs,
            follow=lambda job, tell: Following(api, jobs, job, tell, deadlines),
        )
    finally:
        client.close()


def _configuration(settings: ClusterSettings) -> Configuration:
    configuration = Configuration()
    # Tries of urllib3 would come on top of ours, and would repeat a write without reading first.
    configuration.retries = False
    try:
        if settings.kubeconfig is None:
            load_incluster_config(client_configuration=configuration)
        else:
            _refuse_unreadable(settings.kubeconfig)
            load_kube_config(
                str(settings.kubeconfig),
                context=settings.context,
                client_configuration=configuration,
                persist_config=False,
            )
    except (ConfigException, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"there is no way into the cluster through {_origin(settings)}",
            found=" ".join(str(error).split()),
            expected=f"the context {settings.context}"
            if settings.context
            else "the service account of a pod"
            if settings.in_cluster
            else "a current-context, with its cluster and its user",
            remedy="correct cluster.kubeconfig or cluster.context; nothing has been changed",
        ) from error
    _refuse_unverified(settings, configuration)
    return configuration


def _origin(settings: ClusterSettings) -> str:
    return "this pod's account" if settings.kubeconfig is None else str(settings.kubeconfig)


def _refuse_unreadable(path: Path) -> None:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(
            f"the kubeconfig {path} cannot be read",
            found=" ".join(str(error).split()),
            expected="a kubeconfig file with the harness's own credentials",
            remedy="correct cluster.kubeconfig; KUBECONFIG and ~/.kube/config are not looked at",
        ) from error
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{path} is no kubeconfig",
            found=type(content).__name__,
            expected="a mapping with clusters, users and contexts",
            remedy="correct cluster.kubeconfig; nothing has been changed",
        )


def _refuse_unverified(settings: ClusterSettings, configuration: Configuration) -> None:
    """Whoever answers gets the token, and is believed: it has to prove who it is."""
    address = urlsplit(configuration.host)
    here = _is_loopback(address.hostname or "")
    if here:
        configuration.no_proxy = "*"  # a proxy's own loopback is another machine
    if configuration.verify_ssl and (address.scheme == "https" or here):
        return
    raise ConfigurationError(
        "the cluster would not have to prove that it is the one meant",
        found=f"{_origin(settings)} leads to {configuration.host}"
        + ("" if configuration.verify_ssl else " with insecure-skip-tls-verify"),
        expected="https, and a certificate that is verified",
        remedy="name the cluster's certificate-authority in the kubeconfig; nothing has been"
        " changed",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
