"""The stage's Vault: it leases the platform's logins, and writes down whatever it is asked.

It keeps everything in memory, so once it is stopped it is a new one, which knows nobody.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.settings.vault import VaultSettings
from tests.settings_file import write_settings
from tests.stage import components
from tests.stage.certificates import write_private
from tests.stage.components import Component
from tests.stage.host import NODE_ADDRESS
from tests.stage.places import API_URL, at
from tests.vault import administrator, server
from tests.vault.program import provided
from tests.vault.proof import Proof

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.settings import Settings
    from harness.sides import Login
    from tests.stage.certificates import Authority
    from tests.stage.stage import Stage
    from tests.vault.server import Server

NAME = "vault"
ADDRESS = f"https://{at(NAME)}"
KUBERNETES_ROLE = "harness"
# Vault says by these that it is there, and nobody's yet.
_HEALTH = f"{ADDRESS}/v1/sys/health?uninitcode=200"
_REVIEWER_SECONDS = 24 * 3600


def certify(authority: Authority) -> None:
    """Give it the certificate that it proves itself with, while there is somebody to sign it."""
    authority.issue(NAME, NAME, addresses=(NODE_ADDRESS,))


def lay_out(stage: Stage, target: Settings, provisioner: Login, written: Path) -> str:
    """Start it, and let it lease the target's logins: by an AppRole, and to pods as their account.

    Args:
        stage: The stage.
        target: The target, its logins known.
        provisioner: The superuser that makes the logins.
        written: The file that the same target is written to, its logins leased by the AppRole.

    Returns:
        Its administrator's token.

    Raises:
        ConfigurationError: Its program is not there, and cannot be built.
        FailedError: It does not start.
    """
    (stage.directory / NAME).mkdir(mode=0o700)
    _start(stage)
    with _reached(server.opened(ADDRESS, stage.authority, log(stage.directory))) as vault:
        role_id, secret_id = administrator.approle(vault)
        secret_file = stage.directory / NAME / "secret-id"
        write_private(secret_file, f"{secret_id}\n".encode())
        way_in = {"role_id": role_id, "secret_id_file": str(secret_file)}
        settings = administrator.leasing(target, vault, **way_in)
        administrator.lay_out(vault, settings, provisioner)
        _let_pods_in(stage, vault, in_pods(settings))
        write_settings(written, settings)
        return str(vault.admin.token)


def log(directory: Path) -> Path:
    """Its audit log, raw: what is secret in it is nobody's but the stage's."""
    return directory / NAME / "audit.log"


@contextmanager
def reached(stage: Stage, token: str) -> Iterator[Server]:
    """The one that runs, as its administrator reaches it."""
    found = server.reached(ADDRESS, stage.authority, log(stage.directory), token=token)
    with _reached(found):
        yield found


def proof(stage: Stage, state: Mapping[str, Any]) -> Proof:
    """What it has seen of the harness since it was started, and what of that is left.

    Args:
        stage: The stage.
        state: That of its platform.
    """
    with reached(stage, state["vault"]) as vault:
        return Proof.of(vault, state["superuser"])


def in_pods(settings: Settings) -> Settings:
    """The same target as pods log in to it: the manifests are printed from these settings."""
    assert settings.vault is not None
    own = settings.vault.model_dump(exclude={"role_id", "secret_id_file"})
    vault = VaultSettings(**own | {"kubernetes_role": KUBERNETES_ROLE})
    return settings.model_copy(update={"vault": vault})


def _start(stage: Stage) -> None:
    own = stage.authority.parent
    command = (
        str(provided()),
        f"-listen={at(NAME)}",
        f"-cert={own / f'{NAME}.crt'}",
        f"-key={own / f'{NAME}.key'}",
        "-stay",
    )
    Component(NAME, command, _HEALTH).keep(stage.directory)
    stage.start_component(NAME)
    components.disown()


@contextmanager
def _reached(vault: Server) -> Iterator[Server]:
    try:
        yield vault
    finally:
        vault.admin.adapter.close()


def _let_pods_in(stage: Stage, vault: Server, settings: Settings) -> None:
    """It asks the cluster whose token it is shown, under an account that may do nothing else."""
    meta = {"name": NAME, "namespace": NAME}
    stage.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{NAME}-reviews-tokens"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:auth-delegator",
            },
            "subjects": [{"kind": "ServiceAccount", **meta}],
        },
    )
    how = (f"--namespace={NAME}", f"--duration={_REVIEWER_SECONDS}s")
    vault.admin.sys.enable_auth_method("kubernetes")
    vault.admin.adapter.post(
        "/v1/auth/kubernetes/config",
        json={
            "kubernetes_host": API_URL,
            "kubernetes_ca_cert": stage.authority.read_text(encoding="ascii"),
            "token_reviewer_jwt": stage.kubectl("create", "token", NAME, *how).strip(),
            "disable_local_ca_jwt": True,
        },
    )
    administrator.admit(vault, settings)
