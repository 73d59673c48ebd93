"""Writes: identity, compare-and-swap, patches, dry runs, deletion, and the bodies of refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kubernetes.client import AppsV1Api, CoordinationV1Api

from tests.contract.cluster import (
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Applications,
    application,
    config_map,
    core,
    deployment,
    lease,
    refusal,
)

if TYPE_CHECKING:
    from tests.contract.cluster import Cluster


@pytest.fixture
def leases(cluster: Cluster) -> CoordinationV1Api:
    return CoordinationV1Api(cluster.admin)


@pytest.fixture
def apps(cluster: Cluster) -> AppsV1Api:
    return AppsV1Api(cluster.admin)


@pytest.fixture
def applications(cluster: Cluster, namespace: str) -> Applications:
    return Applications(cluster.admin, namespace)


def test_an_absent_object_is_404(cluster: Cluster, namespace: str) -> None:
    body = refusal(404, core(cluster).read_namespaced_config_map, "none", namespace)
    assert body["reason"] == "NotFound"
    assert body["message"] == 'configmaps "none" not found'
    assert body["details"] == {"name": "none", "kind": "configmaps"}


def test_an_absent_custom_object_is_404(applications: Applications) -> None:
    body = refusal(404, applications.get, "none")
    assert body["message"] == 'applications.argoproj.io "none" not found'
    assert body["details"] == {"name": "none", "group": "argoproj.io", "kind": "applications"}


def test_a_patch_or_deletion_of_an_absent_object_is_404(cluster: Cluster, namespace: str) -> None:
    api = core(cluster)
    refusal(404, api.patch_namespaced_config_map, "none", namespace, {}, _content_type=MERGE)
    refusal(404, api.delete_namespaced_config_map, "none", namespace)


def test_a_name_that_is_taken_is_409(cluster: Cluster, namespace: str) -> None:
    core(cluster).create_namespaced_config_map(namespace, config_map("one"))
    body = refusal(409, core(cluster).create_namespaced_config_map, namespace, config_map("one"))
    assert body["reason"] == "AlreadyExists"
    assert body["message"] == 'configmaps "one" already exists'


def test_an_application_needs_its_kind(applications: Applications) -> None:
    body = application()
    del body["kind"]
    assert refusal(400, applications.create, body)["reason"] == "BadRequest"


def test_fields_that_the_definition_does_not_know(applications: Applications) -> None:
    applications.create(application())
    patch = {"spec": {"syncPolicy": {"automated": {"unknown": True}}}}
    kept = applications.patch(patch)
    assert kept["spec"]["syncPolicy"]["automated"] == {}
    body = refusal(422, applications.patch, patch, field_validation="Strict")
    assert 'unknown field "spec.syncPolicy.automated.unknown"' in body["message"]


def test_an_object_needs_its_namespace(cluster: Cluster) -> None:
    body = refusal(404, core(cluster).create_namespaced_config_map, "nowhere", config_map("one"))
    assert body["details"] == {"name": "nowhere", "kind": "namespaces"}


def test_a_name_must_be_one(cluster: Cluster, namespace: str) -> None:
    body = refusal(422, core(cluster).create_namespaced_config_map, namespace, config_map("No!"))
    assert body["reason"] == "Invalid"
    assert body["details"]["causes"][0]["field"] == "metadata.name"


def test_a_new_object_gets_identity(cluster: Cluster, namespace: str) -> None:
    made = core(cluster).create_namespaced_config_map(namespace, config_map("one")).metadata
    assert made.uid
    assert made.resource_version.isdigit()
    assert made.creation_timestamp
    core(cluster).delete_namespaced_config_map("one", namespace)
    again = core(cluster).create_namespaced_config_map(namespace, config_map("one")).metadata
    assert again.uid != made.uid


def test_a_generated_name_begins_as_asked(cluster: Cluster, namespace: str) -> None:
    body = config_map("x", generateName="run-")
    del body["metadata"]["name"]
    made = core(cluster).create_namespaced_config_map(namespace, body)
    assert made.metadata.name.startswith("run-")


def test_a_put_of_an_old_revision_is_409(leases: CoordinationV1Api, namespace: str) -> None:
    first = leases.create_namespaced_lease(namespace, lease(holderIdentity="a"))
    first.spec.holder_identity = "b"
    second = leases.replace_namespaced_lease("lock", namespace, first)
    assert second.metadata.resource_version != first.metadata.resource_version
    first.spec.holder_identity = "c"
    body = refusal(409, leases.replace_namespaced_lease, "lock", namespace, first)
    assert body["reason"] == "Conflict"
    assert body["message"].startswith(
        'Operation cannot be fulfilled on leases.coordination.k8s.io "lock": the object has been'
        " modified"
    )
    assert body["details"] == {"name": "lock", "group": "coordination.k8s.io", "kind": "leases"}
    assert leases.read_namespaced_lease("lock", namespace).spec.holder_identity == "b"


def test_a_lease_cannot_be_put_without_revision(leases: CoordinationV1Api, namespace: str) -> None:
    leases.create_namespaced_lease(namespace, lease(holderIdentity="a"))
    put = lease(holderIdentity="b")
    body = refusal(422, leases.replace_namespaced_lease, "lock", namespace, put)
    assert body["details"]["causes"][0]["field"] == "metadata.resourceVersion"


def test_a_merge_patch_with_an_old_revision_is_409(
    leases: CoordinationV1Api, namespace: str
) -> None:
    made = leases.create_namespaced_lease(namespace, lease(holderIdentity="a"))
    patch = {
        "metadata": {"resourceVersion": made.metadata.resource_version},
        "spec": {"holderIdentity": "b"},
    }
    leases.patch_namespaced_lease("lock", namespace, patch, _content_type=MERGE)
    body = refusal(
        409, leases.patch_namespaced_lease, "lock", namespace, patch, _content_type=MERGE
    )
    assert body["reason"] == "Conflict"


def test_another_uid_is_refused(leases: CoordinationV1Api, namespace: str) -> None:
    made = leases.create_namespaced_lease(namespace, lease(holderIdentity="a"))
    patch = {"metadata": {"uid": "00000000-0000-0000-0000-000000000000"}}
    refusal(422, leases.patch_namespaced_lease, "lock", namespace, patch, _content_type=MERGE)
    made.metadata.uid = "00000000-0000-0000-0000-000000000000"
    refusal(409, leases.replace_namespaced_lease, "lock", namespace, made)


def test_null_in_a_merge_patch_deletes(leases: CoordinationV1Api, namespace: str) -> None:
    body = lease(holderIdentity="a", leaseTransitions=3)
    body["metadata"]["annotations"] = {"one": "1", "two": "2"}
    leases.create_namespaced_lease(namespace, body)
    patch = {"metadata": {"annotations": {"one": None}}, "spec": {"holderIdentity": None}}
    left = leases.patch_namespaced_lease("lock", namespace, patch, _content_type=MERGE)
    assert left.metadata.annotations == {"two": "2"}
    assert left.spec.holder_identity is None
    assert left.spec.lease_transitions == 3


def test_a_write_that_changes_nothing_keeps_the_revision(
    leases: CoordinationV1Api, namespace: str
) -> None:
    made = leases.create_namespaced_lease(namespace, lease(holderIdentity="a"))
    patch = {"spec": {"holderIdentity": "a"}}
    same = leases.patch_namespaced_lease("lock", namespace, patch, _content_type=MERGE)
    assert same.metadata.resource_version == made.metadata.resource_version


def test_a_lease_may_be_created_by_put(leases: CoordinationV1Api, namespace: str) -> None:
    leases.replace_namespaced_lease("lock", namespace, lease(holderIdentity="a"))
    assert leases.read_namespaced_lease("lock", namespace).spec.holder_identity == "a"


@pytest.mark.parametrize(
    "renewed", ["2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05Z", "yesterday"]
)
def test_the_time_of_a_lease_needs_microseconds(
    leases: CoordinationV1Api, namespace: str, renewed: str
) -> None:
    leases.create_namespaced_lease(namespace, lease())
    patch = {"spec": {"renewTime": renewed}}
    body = refusal(
        422, leases.patch_namespaced_lease, "lock", namespace, patch, _content_type=MERGE
    )
    assert body["reason"] == "Invalid"
    assert f'parsing time "{renewed}"' in body["message"].replace("\\", "")


def test_a_new_lease_needs_microseconds_too(leases: CoordinationV1Api, namespace: str) -> None:
    # The official client writes a whole second without its fraction.
    body = lease(renewTime="2026-01-02T03:04:05.000000Z")
    refused = refusal(400, leases.create_namespaced_lease, namespace, body)
    assert refused["reason"] == "BadRequest"


def test_a_lease_may_have_an_empty_holder(leases: CoordinationV1Api, namespace: str) -> None:
    leases.create_namespaced_lease(namespace, lease(holderIdentity=""))
    assert leases.read_namespaced_lease("lock", namespace).spec.holder_identity == ""


def test_the_time_of_a_lease_is_given_back_in_utc(
    cluster: Cluster, leases: CoordinationV1Api, namespace: str
) -> None:
    body = lease(renewTime="2026-01-02T03:04:05.000006+01:00")
    made = leases.create_namespaced_lease(namespace, body)
    raw = cluster.admin.sanitize_for_serialization(made)
    assert raw["spec"]["renewTime"].startswith("2026-01-02T02:04:05.000006")


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"leaseDurationSeconds": 0}, "spec.leaseDurationSeconds"),
        ({"leaseTransitions": -1}, "spec.leaseTransitions"),
    ],
)
def test_a_lease_is_validated(
    leases: CoordinationV1Api, namespace: str, spec: dict[str, object], field: str
) -> None:
    body = refusal(422, leases.create_namespaced_lease, namespace, lease(**spec))
    assert body["details"]["kind"] == "Lease"
    assert [cause["field"] for cause in body["details"]["causes"]] == [field]


def test_a_json_patch_is_applied_as_a_whole(cluster: Cluster, namespace: str) -> None:
    api = core(cluster)
    api.create_namespaced_config_map(namespace, config_map("one"))
    patch = [
        {"op": "test", "path": "/data/key", "value": "value"},
        {"op": "add", "path": "/metadata/annotations", "value": {}},
        {"op": "add", "path": "/metadata/annotations/a.b~1c", "value": "1"},
        {"op": "move", "from": "/data/key", "path": "/data/moved"},
    ]
    done = api.patch_namespaced_config_map("one", namespace, patch, _content_type=JSON_PATCH)
    assert done.data == {"moved": "value"}
    assert done.metadata.annotations == {"a.b/c": "1"}


def test_a_json_patch_whose_test_fails_is_422(cluster: Cluster, namespace: str) -> None:
    api = core(cluster)
    api.create_namespaced_config_map(namespace, config_map("one"))
    patch = [
        {"op": "remove", "path": "/data/key"},
        {"op": "test", "path": "/metadata/name", "value": "two"},
    ]
    body = refusal(
        422, api.patch_namespaced_config_map, "one", namespace, patch, _content_type=JSON_PATCH
    )
    assert body["reason"] == "Invalid"
    assert api.read_namespaced_config_map("one", namespace).data == {"key": "value"}


def test_a_strategic_merge_merges_containers_by_name(apps: AppsV1Api, namespace: str) -> None:
    apps.create_namespaced_deployment(namespace, deployment())
    containers = [{"name": "main", "env": [{"name": "A", "value": "1"}]}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    done = apps.patch_namespaced_deployment("web", namespace, patch, _content_type=STRATEGIC)
    (main,) = done.spec.template.spec.containers
    assert main.command == ["sleep", "60"]
    assert main.env[0].value == "1"


def test_a_custom_object_takes_no_strategic_merge(applications: Applications) -> None:
    applications.create(application())
    body = refusal(415, applications.patch, {"spec": {}}, kind=STRATEGIC)
    assert body["reason"] == "UnsupportedMediaType"


def test_the_generation_of_a_deployment_follows_its_spec(apps: AppsV1Api, namespace: str) -> None:
    made = apps.create_namespaced_deployment(namespace, deployment())
    assert made.metadata.generation == 1

    def patched(patch: dict[str, object]) -> int:
        done = apps.patch_namespaced_deployment("web", namespace, patch, _content_type=MERGE)
        return int(done.metadata.generation)

    assert patched({"metadata": {"labels": {"a": "b"}}}) == 1
    assert patched({"metadata": {"annotations": {"a": "b"}}}) == 2
    assert patched({"spec": {"replicas": 0}}) == 2
    assert patched({"spec": {"minReadySeconds": 1}}) == 3


def test_the_generation_of_an_application_follows_its_status_too(
    applications: Applications,
) -> None:
    made = applications.create(application())
    assert made["metadata"]["generation"] == 1

    def patched(patch: dict[str, object]) -> int:
        return int(applications.patch(patch)["metadata"]["generation"])

    assert patched({"metadata": {"annotations": {"a": "b"}}}) == 1
    assert patched({"status": {"reconciledAt": "2026-01-02T03:04:05Z"}}) == 2
    assert patched({"spec": {"project": "other"}}) == 3
    assert patched({"operation": {"sync": {}}}) == 4


def test_pause_and_journal_are_one_compare_and_swap(applications: Applications) -> None:
    policy = {"automated": {"prune": True, "selfHeal": True}}
    made = applications.create(application(syncPolicy=policy))
    patch = {
        "metadata": {
            "resourceVersion": made["metadata"]["resourceVersion"],
            "annotations": {"sandbox-lifecycle.dev/journal": "{}"},
        },
        "spec": {"syncPolicy": {"automated": {"enabled": False}}},
    }
    paused = applications.patch(patch)
    assert paused["spec"]["syncPolicy"]["automated"] == {
        "prune": True,
        "selfHeal": True,
        "enabled": False,
    }
    assert refusal(409, applications.patch, patch)["reason"] == "Conflict"


def test_an_application_cannot_be_put_without_revision(applications: Applications) -> None:
    applications.create(application())
    body = refusal(422, applications.replace, application())
    assert body["details"]["kind"] == "applications"
    assert body["details"]["causes"][0]["field"] == "metadata.resourceVersion"


def test_automated_null_removes_it(applications: Applications) -> None:
    applications.create(application(syncPolicy={"automated": {}, "syncOptions": ["a=b"]}))
    left = applications.patch({"spec": {"syncPolicy": {"automated": None}}})
    assert left["spec"]["syncPolicy"] == {"syncOptions": ["a=b"]}


def test_automated_cannot_be_kept_as_null(applications: Applications) -> None:
    made = applications.create(application(syncPolicy={"automated": None}))
    assert made["spec"]["syncPolicy"] == {}


def test_an_empty_sync_policy_is_kept_as_it_is(applications: Applications) -> None:
    made = applications.create(application(syncPolicy={"automated": {}}))
    assert made["spec"]["syncPolicy"] == {"automated": {}}


def test_the_fields_of_automated_are_typed(applications: Applications) -> None:
    applications.create(application())
    body = refusal(422, applications.patch, {"spec": {"syncPolicy": {"automated": {"prune": "x"}}}})
    assert body["details"]["causes"][0]["field"] == "spec.syncPolicy.automated.prune"


def test_a_dry_run_is_all_or_none(cluster: Cluster, namespace: str) -> None:
    api = core(cluster)
    refusal(422, api.create_namespaced_config_map, namespace, config_map("one"), dry_run="Some")


def test_a_dry_run_answers_and_keeps_nothing(
    cluster: Cluster, applications: Applications, namespace: str
) -> None:
    api = core(cluster)
    made = api.create_namespaced_config_map(namespace, config_map("one"), dry_run="All")
    assert made.data == {"key": "value"}
    refusal(404, api.read_namespaced_config_map, "one", namespace)
    before = applications.create(application())
    patched = applications.patch({"spec": {"project": "other"}}, dry_run="All")
    assert patched["spec"]["project"] == "other"
    assert applications.get() == before
    refusal(404, applications.patch, {}, name="none", dry_run="All")
    api.create_namespaced_config_map(namespace, config_map("one"))
    api.delete_namespaced_config_map("one", namespace, dry_run="All")
    api.read_namespaced_config_map("one", namespace)


def test_the_object_must_be_the_one_in_the_path(cluster: Cluster, namespace: str) -> None:
    api = core(cluster)
    api.create_namespaced_config_map(namespace, config_map("one"))
    refusal(400, api.replace_namespaced_config_map, "one", namespace, config_map("two"))
    elsewhere = config_map("two", namespace="default")
    refusal(400, api.create_namespaced_config_map, namespace, elsewhere)


def test_a_deletion_can_be_conditional(cluster: Cluster, namespace: str) -> None:
    api = core(cluster)
    made = api.create_namespaced_config_map(namespace, config_map("one")).metadata
    for conditions in ({"uid": "another"}, {"resourceVersion": "1"}):
        body = {"preconditions": conditions}
        refusal(409, api.delete_namespaced_config_map, "one", namespace, body=body)
    conditions = {"uid": made.uid, "resourceVersion": made.resource_version}
    gone = api.delete_namespaced_config_map("one", namespace, body={"preconditions": conditions})
    assert gone["status"] == "Success"
    assert gone["details"]["uid"] == made.uid


def test_a_finalizer_holds_a_deletion_up(cluster: Cluster, namespace: str) -> None:
    api = core(cluster)
    body = config_map("one", finalizers=["example.com/wait"])
    api.create_namespaced_config_map(namespace, body)
    api.delete_namespaced_config_map("one", namespace)
    held = api.read_namespaced_config_map("one", namespace).metadata
    assert held.deletion_timestamp
    patch = {"metadata": {"finalizers": None}}
    api.patch_namespaced_config_map("one", namespace, patch, _content_type=MERGE)
    refusal(404, api.read_namespaced_config_map, "one", namespace)


def test_a_selector_is_immutable(apps: AppsV1Api, namespace: str) -> None:
    apps.create_namespaced_deployment(namespace, deployment())
    labels = {"app": "other"}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    patch = {"spec": spec}
    body = refusal(
        422, apps.patch_namespaced_deployment, "web", namespace, patch, _content_type=MERGE
    )
    assert body["details"]["causes"][0]["field"] == "spec.selector"
