"""The manifests: one base, no secrets, and pods that may do as little as their work takes."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pydantic import SecretStr
from typer.testing import CliRunner

from harness import manifests
from harness.cli import app
from harness.errors import ConfigurationError
from harness.manifests.pods import Pods
from harness.manifests.told import told_to_pods
from harness.settings import Settings
from tests.unit.test_cluster_settings import cluster
from tests.unit.test_settings import SECRET, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
VERBS = ("refresh-from-prod", "checkpoint", "reset", "recover")


def target(**in_cluster: Any) -> Settings:
    own = cluster().model_dump(mode="json", exclude_none=True)
    own_paths = {"password_file": "/run/secrets/sandbox"}
    given = values(**own_paths, application_dsn=f"host=h password={SECRET}")
    return Settings.of(given | {"cluster": own, "in_cluster": in_cluster}, origin="a test")


def objects(**in_cluster: Any) -> list[dict[str, Any]]:
    settings = target(**in_cluster)
    assert settings.cluster is not None
    return manifests.objects(manifests.Names.of(settings.cluster), Pods.of(settings))


def one(kind: str, name: str, **in_cluster: Any) -> dict[str, Any]:
    (found,) = [
        each
        for each in objects(**in_cluster)
        if (each["kind"], each["metadata"]["name"]) == (kind, name)
    ]
    return found


def pod_specs() -> Iterator[tuple[str, dict[str, Any]]]:
    for each in objects():
        if each["kind"] == "Deployment":
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]
        elif each["kind"] == "CronJob":
            template = each["spec"]["jobTemplate"]["spec"]["template"]
            yield each["metadata"]["name"], template["spec"]


PODS = dict(pod_specs())


@pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
def test_a_pod_has_no_privilege_and_no_writable_root(pod: dict[str, Any]) -> None:
    context = pod["securityContext"]
    assert context["runAsNonRoot"]
    assert context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert all("hostPath" not in volume for volume in pod["volumes"])
    for container in (*pod.get("initContainers", []), *pod["containers"]):
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["privileged"] is False
        assert own["readOnlyRootFilesystem"] is True
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"]["memory"]
        places = {each["name"] for each in container["volumeMounts"]}
        assert places == {volume["name"] for volume in pod["volumes"]}


def test_no_account_mounts_its_token_by_itself() -> None:
    accounts = [each for each in objects() if each["kind"] == "ServiceAccount"]
    assert [each["automountServiceAccountToken"] for each in accounts] == [False, False]


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_a_template_that_never_starts_by_itself(verb: str) -> None:
    made = one("CronJob", f"sandbox-lifecycle-{verb}")["spec"]
    assert made["suspend"] is True
    job = made["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0
    assert (job["activeDeadlineSeconds"], job["ttlSecondsAfterFinished"]) == (3600, 86400)
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["containers"][0]["args"][0] == verb


def test_the_nightly_run_is_off_until_somebody_wants_it() -> None:
    name = "sandbox-lifecycle-nightly"
    assert one("CronJob", name)["spec"]["suspend"] is True
    wanted = one("CronJob", name, nightly=True, schedule="0 4 * * 1-5")["spec"]
    assert (wanted["suspend"], wanted["schedule"]) == (False, "0 4 * * 1-5")


def test_what_is_set_is_filled_in() -> None:
    settings = {"image": "registry.example/harness@sha256:abc", "pull_policy": "Always"}
    pod = one("Deployment", "sandbox-lifecycle-watchdog", **settings)["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == settings["image"]
    assert pod["containers"][0]["imagePullPolicy"] == "Always"
    claim = one("PersistentVolumeClaim", "sandbox-lifecycle-golden", storage_size="5Gi")["spec"]
    assert "storageClassName" not in claim
    assert claim["resources"]["requests"]["storage"] == "5Gi"
    claim = one("PersistentVolumeClaim", "sandbox-lifecycle-golden", storage_class="fast")["spec"]
    assert claim["storageClassName"] == "fast"


def test_the_watchdog_can_be_left_out() -> None:
    name = "sandbox-lifecycle-watchdog"
    assert one("Deployment", name)["spec"]["replicas"] == 1
    assert one("Deployment", name, watchdog=False)["spec"]["replicas"] == 0


def test_the_sandbox_reaches_names_and_its_database_and_nothing_else() -> None:
    policy = one("NetworkPolicy", "sandbox-lifecycle-sandbox", database_networks=["10.0.0.7/32"])
    assert policy["spec"]["podSelector"] == {}
    names, database = policy["spec"]["egress"]
    assert {each["port"] for each in names["ports"]} == {53}
    assert database == {
        "to": [{"ipBlock": {"cidr": "10.0.0.7/32"}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    }


def test_the_harness_reaches_the_api_and_vault_only_where_it_is_used() -> None:
    ports = [{"protocol": "TCP", "port": port} for port in (443, 6443)]
    plain = one("NetworkPolicy", "sandbox-lifecycle")["spec"]["egress"]
    assert plain == [{"ports": ports}, {"to": [{"podSelector": {}}]}]
    vault = {"vault_port": 8200, "vault_networks": ["10.9.0.0/24"]}
    more = one("NetworkPolicy", "sandbox-lifecycle", **vault)["spec"]["egress"]
    assert more[2:] == [
        {
            "to": [{"ipBlock": {"cidr": "10.9.0.0/24"}}],
            "ports": [{"protocol": "TCP", "port": 8200}],
        }
    ]


def leasing(tmp_path: Path, **way_in: str) -> Settings:
    """A target whose logins Vault leases."""
    authority = tmp_path / "authority.pem"
    authority.write_text(CERTIFICATE, encoding="ascii")
    given = target().model_dump(mode="json", exclude_none=True)
    for side, database in (("prod", "erp"), ("sandbox", "erp-sandbox")):
        own = {"owner_role": given[side]["owner_role"], "vault_role": f"{database}-role"}
        given[side] = {"dsn": f"host=db dbname={database}", **own}
    given["vault"] = {
        "address": "https://vault.example:8200",
        "ca_file": str(authority),
        "prod_owner_path": "postgres/creds/erp",
        "provider_path": "postgres/creds/provider",
        **way_in,
    }
    return Settings.of(given, origin="a test")


def applied(settings: Settings) -> list[dict[str, Any]]:
    assert settings.cluster is not None
    return manifests.objects(manifests.Names.of(settings.cluster), Pods.of(settings))


def test_pods_that_log_in_to_vault_are_told_all_that_it_takes(tmp_path: Path) -> None:
    found = applied(leasing(tmp_path, kubernetes_role="harness"))
    (told,) = [each["data"] for each in found if each["kind"] == "ConfigMap"]
    assert told["vault-authority.pem"] == CERTIFICATE
    values = tomllib.loads(told["sandbox.toml"])
    assert values["prod"]["vault_role"] == "erp-role"
    assert values["vault"] == {
        "address": "https://vault.example:8200",
        "kubernetes_role": "harness",
        "ca_file": "/etc/sandbox-lifecycle/vault-authority.pem",
        "prod_owner_path": "postgres/creds/erp",
        "provider_path": "postgres/creds/provider",
    }
    (_, own) = [each for each in found if each["kind"] == "NetworkPolicy"]
    assert own["spec"]["egress"][2:] == [{"ports": [{"protocol": "TCP", "port": 8200}]}]


def test_pods_know_nothing_of_an_approle_and_take_logins_from_their_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = leasing(tmp_path, role_id="0b1e", secret_id_file="/run/secrets/secret-id")  # noqa: S106  a path
    told = tmp_path / "sandbox.toml"
    told.write_text(Pods.of(settings).told, encoding="utf-8")
    for side in ("PROD", "SANDBOX"):
        monkeypatch.setenv(f"SANDBOX_LIFECYCLE_{side}__DSN", f"host=db user=u dbname={side}")
    monkeypatch.setenv("SANDBOX_LIFECYCLE_GOLDEN__DIRECTORY", "/golden")
    found = Settings.live(told)
    assert found.vault is None
    assert found.prod.dsn.get_secret_value() == "host=db user=u dbname=PROD"
    assert all(each["kind"] != "ConfigMap" or len(each["data"]) == 1 for each in applied(settings))


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    settings = leasing(tmp_path, kubernetes_role="harness")
    (tmp_path / "authority.pem").unlink()
    with pytest.raises(ConfigurationError) as refused:
        Pods.of(settings)
    assert str(tmp_path / "authority.pem") in (refused.value.found or "")


def test_pods_are_told_the_target_without_a_login_and_without_paths_of_this_machine() -> None:
    settings = target()
    text = Pods.of(settings).told
    assert SECRET not in text
    assert tomllib.loads(text) == {
        "prod": {"owner_role": "erp_role"},
        "sandbox": {"owner_role": "erp_sandbox_role"},
        "cluster": {
            "in_cluster": True,
            "argocd_namespace": "argocd",
            "application": "erp-sandbox",
            "namespace": "erp-sandbox",
            "deployment": "erp",
            "prod_namespace": "erp",
            "prod_application": "erp",
        },
    }
    told = one("ConfigMap", "sandbox-lifecycle")["data"]["sandbox.toml"]
    assert tomllib.loads(told) == tomllib.loads(text)


def test_a_connection_string_that_holds_no_login_is_told() -> None:
    bare = "host=db port=5432 dbname=erp-sandbox sslmode=verify-full"
    settings = target()
    for dsn, is_told in ((bare, True), (f"{bare} user=v-sbx", False), ("what is this", False)):
        sandbox = settings.sandbox.model_copy(update={"dsn": SecretStr(dsn)})
        told = tomllib.loads(told_to_pods(settings.model_copy(update={"sandbox": sandbox})))
        assert told["sandbox"].get("dsn") == (dsn if is_told else None)


def test_a_pod_puts_its_settings_together_from_file_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = target(hand_over=True)
    file = tmp_path / "sandbox.toml"
    file.write_text(Pods.of(settings).told, encoding="utf-8")
    monkeypatch.setenv("SANDBOX_LIFECYCLE_PROD__DSN", settings.prod.dsn.get_secret_value())
    monkeypatch.setenv("SANDBOX_LIFECYCLE_SANDBOX__DSN", settings.sandbox.dsn.get_secret_value())
    monkeypatch.setenv("SANDBOX_LIFECYCLE_GOLDEN__DIRECTORY", "/golden")
    found = Settings.live(file)
    assert found.prod == settings.prod
    assert found.sandbox.dsn == settings.sandbox.dsn
    assert found.cluster is not None
    assert (found.cluster.in_cluster, found.cluster.kubeconfig) == (True, None)


def test_no_secret_of_the_settings_is_in_any_manifest() -> None:
    settings = target()
    assert settings.cluster is not None
    assert SECRET not in manifests.render(manifests.Names.of(settings.cluster), Pods.of(settings))


def test_every_name_of_ours_begins_with_the_account() -> None:
    names = manifests.Names("sandbox", "erp", "argocd", "erp-sandbox", service_account="harness")
    assert {
        each["metadata"]["name"].partition("-")[0]
        for each in manifests.objects(names)
        if each["kind"] != "Lease"
    } == {"harness"}


def test_the_base_names_every_file_and_no_other(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text(
        f"""
        prod = {{ dsn = "postgresql://a:{SECRET}@h/erp", owner_role = "r" }}
        sandbox = {{ dsn = "postgresql://b:{SECRET}@h/sbx", owner_role = "s" }}
        golden = {{ directory = "/golden" }}
        [cluster]
        kubeconfig = "/k"
        namespace = "erp-sandbox"
        deployment = "erp"
        argocd_namespace = "argocd"
        application = "erp-sandbox"
        prod_namespace = "erp"
        prod_application = "erp"
        """,
        encoding="utf-8",
    )
    chosen = ["manifests", "--target=live", f"--sandbox-config={config}"]
    base = tmp_path / "base"
    written = CliRunner().invoke(app, [*chosen, f"--output={base}"])
    assert written.output == f"kubectl apply -k {base}\n"
    told = yaml.safe_load((base / "kustomization.yaml").read_text(encoding="utf-8"))
    assert sorted([*told["resources"], "kustomization.yaml"]) == sorted(
        path.name for path in base.iterdir()
    )
    printed = list(yaml.safe_load_all(CliRunner().invoke(app, chosen).output))
    files = [(base / name).read_text(encoding="utf-8") for name in told["resources"]]
    assert printed == [each for text in files for each in yaml.safe_load_all(text)]


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = target()
    assert settings.cluster is not None
    config = tmp_path / "sandbox.toml"
    config.write_text(
        Pods.of(settings).told.replace("in_cluster = true", 'kubeconfig = "/k"')
        + '\n[golden]\ndirectory = "/golden"\n',
        encoding="utf-8",
    )
    logins = {
        "SANDBOX_LIFECYCLE_PROD__DSN": "host=h user=a dbname=b",
        "SANDBOX_LIFECYCLE_SANDBOX__DSN": "host=h user=a dbname=c",
    }
    chosen = ["manifests", "--target=live", f"--sandbox-config={config}"]
    asked = [*chosen, f"--output={tmp_path / 'file' / 'base'}"]
    ended = CliRunner().invoke(app, asked, env=logins)
    assert ended.exit_code == 2
    assert "cannot be written to" in ended.output
