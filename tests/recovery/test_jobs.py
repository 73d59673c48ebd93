"""The verbs as Jobs in the cluster, started from a machine that reaches nothing but its API."""

from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness.deadlines import eventually
from harness.lifecycle.checkpoint import checkpoint
from harness.local.administrator import path
from harness.local.kubernetes import processes
from harness.local.kubernetes.resources import BY_QUALIFIED, CONFIG_MAPS, JOBS, PODS, SECRETS
from harness.manifests.told import told_to_pods
from harness.progress import Silent
from harness.sides import Prod

from .place import RECOVER, REFRESH, RESET, SOON, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.forked import Ended

JOB = "sandbox-lifecycle-job"
_VERIFY = "verify"
_CRON_JOBS = BY_QUALIFIED["cronjobs.batch"]


class Outside:
    """A machine that knows the API, and of the rest only what the settings say."""

    def __init__(self, place: Place) -> None:
        self.place = place
        kubeconfig = place.cluster.control.state / "harness.kubeconfig"
        told = told_to_pods(place.settings, kubeconfig=kubeconfig)
        place.cluster.tell(told)
        self.cut_off()

    def cut_off(self, **in_cluster: Any) -> None:
        """Let the settings lead to a database and a golden folder that are not there."""
        settings = self.place.platform.settings
        self.place.settings = settings.model_copy(
            update={
                "golden": settings.golden.model_copy(
                    update={"directory": self.place.folder / "none"}
                ),
                "in_cluster": settings.in_cluster.model_copy(update=in_cluster),
            }
        )

    def run(self, *command: str) -> Ended:
        return self.place.run(*command, "--job")

    def job(self) -> dict[str, Any] | None:
        return self._get(JOBS, JOB)

    def secrets(self) -> list[dict[str, Any]]:
        found = self.place.admin.ask("GET", path(SECRETS, self.where))["items"]
        return [each for each in found if each["metadata"]["name"].startswith(JOB)]

    def pod(self) -> dict[str, Any]:
        (pod,) = [
            each
            for each in self.place.admin.pods(self.where)
            if each["metadata"]["name"].startswith(JOB)
        ]
        return pod

    def process(self) -> int:
        """The process of its pod."""
        folder = self.place.cluster.control.state / "pods" / self.pod()["metadata"]["uid"]
        found = processes.recorded(folder / "harness.log")
        assert found is not None
        return found.pid

    def says(self, words: str) -> None:
        """Wait until the Job's pod has printed that."""

        def must() -> None:
            folder = self.place.cluster.control.state / "pods" / self.pod()["metadata"]["uid"]
            assert words in (folder / "harness.log").read_text(encoding="utf-8")

        eventually(must, SOON)

    @property
    def where(self) -> str:
        return self.place.names.namespace

    def nothing_is_left(self) -> None:
        assert self.job() is None
        assert self.secrets() == []
        assert self.place.outstanding() == []

    def change(self, kind: Any, name: str, patch: Any) -> None:
        self._put(kind, name, patch)

    def _put(self, kind: Any, name: str, patch: Any) -> None:
        self.place.admin.ask("PATCH", path(kind, self.where, name), patch)

    def _get(self, kind: Any, name: str) -> dict[str, Any] | None:
        found = self.place.admin.ask("GET", path(kind, self.where))["items"]
        return next((each for each in found if each["metadata"]["name"] == name), None)


@pytest.fixture
def outside(place: Place) -> Outside:
    return Outside(place)


@contextmanager
def slowed_down(place: Place) -> Iterator[None]:
    """Somebody holds a lock in prod that a dump has to wait for."""
    with psycopg.connect(Prod.of(place.platform.settings).login.conninfo) as session:
        session.execute("LOCK TABLE public.llx_societe IN ACCESS EXCLUSIVE MODE")
        yield
        session.rollback()


@contextmanager
def started(outside: Outside, phase: str = "dump prod") -> Iterator[Any]:
    """A refresh by a Job that waits in its dump; it goes on when the block ends."""
    with slowed_down(outside.place):
        client = outside.place.start(REFRESH, "--job")
        try:
            eventually(lambda: outside.says(phase), SOON)
            yield client
        except BaseException:
            client.kill()
            raise


def test_a_refresh_is_done_and_told_as_if_it_were_done_here(outside: Outside) -> None:
    ended = outside.run(REFRESH)
    assert ended.code == 0, ended
    assert ended.told["result"]["company"] == "Ferblanterie"
    assert "wipe the sandbox" in ended.errors
    assert outside.place.is_prod()
    outside.nothing_is_left()


def test_a_reset_finds_the_golden_copy_on_the_volume(outside: Outside) -> None:
    outside.place.write_traffic()
    ended = outside.run(RESET, "--verify=full")
    assert ended.code == 0, ended
    assert ended.told["result"]["generation"]
    outside.place.settings = outside.place.platform.settings
    assert outside.place.is_golden()
    outside.nothing_is_left()


def test_a_recovery_puts_golden_content_back(outside: Outside) -> None:
    place = outside.place
    cut_off, place.settings = place.settings, place.platform.settings
    place.run(REFRESH, edge="begin", phase=_VERIFY)
    place.settings = cut_off
    ended = outside.run(RECOVER)
    assert ended.code == 0, ended
    assert ended.told["result"]["golden"]
    outside.nothing_is_left()
    assert place.content() == "complete"


def test_a_refusal_in_the_job_is_this_commands_own(outside: Outside) -> None:
    place = outside.place
    cut_off, place.settings = place.settings, place.platform.settings
    with place.held(REFRESH, "dump prod and take its fingerprint") as process:
        place.settings = cut_off
        ended = outside.run(RESET)
        assert ended.code == 3, ended
        assert "another run is working on the sandbox" in ended.error
        place.settings = place.platform.settings
        assert place.go_on(process).code == 0
    outside.nothing_is_left()


def test_logins_that_are_handed_over_belong_to_the_job_and_go_with_it(outside: Outside) -> None:
    name = outside.place.settings.in_cluster.secret
    where = path(SECRETS, outside.where, name)
    standing = outside.place.admin.ask("GET", where)
    outside.place.admin.ask("DELETE", where)
    try:
        outside.cut_off(hand_over=True)
        with started(outside) as client:
            job, (secret,) = outside.job(), outside.secrets()
            assert job is not None
            (owner,) = secret["metadata"]["ownerReferences"]
            assert owner["uid"] == job["metadata"]["uid"]
            assert job["spec"]["activeDeadlineSeconds"] == 3600
            assert job["spec"]["ttlSecondsAfterFinished"] == 86400
        assert outside.place.end(client).code == 0
        outside.nothing_is_left()
        outside.cut_off()
        missing = outside.run(REFRESH)
        assert missing.code == 2, missing
        assert "prod.dsn: Field required" in missing.error
    finally:
        kept = {"name": name, "namespace": outside.where}
        outside.place.admin.create({**standing, "metadata": kept})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_removes_the_job_which_undoes_itself(
    outside: Outside, number: signal.Signals
) -> None:
    outside.cut_off(hand_over=True)
    with started(outside) as client:
        client.send(number)
        ended = outside.place.end(client)
    assert ended.code == 4, ended
    assert "the Job was told to end" in json.dumps(ended.told)
    outside.nothing_is_left()
    assert outside.place.content() == "complete"


def test_a_client_that_is_killed_leaves_a_job_that_ends_and_is_removed_by_the_next(
    outside: Outside,
) -> None:
    with started(outside) as client:
        client.kill()
        second = outside.run(RESET)
        assert second.code == 3, second
        assert "another Job is working on the sandbox" in second.error
        assert "refresh-from-prod of run" in second.error

    def must_have_ended() -> None:
        job = outside.job()
        assert job is not None
        assert [each["type"] for each in job["status"].get("conditions", [])] == ["Complete"]

    eventually(must_have_ended, SOON)
    assert outside.run(RESET).code == 0
    outside.nothing_is_left()


def test_a_job_that_nobody_lets_go_is_removed(outside: Outside) -> None:
    where, template = outside.where, path(_CRON_JOBS, outside.where, "sandbox-lifecycle-reset")
    spec = outside.place.admin.ask("GET", template)["spec"]["jobTemplate"]["spec"]
    body = {"metadata": {"name": JOB}, "spec": {**spec, "suspend": True}}
    outside.place.admin.ask("POST", path(JOBS, where), body)
    # A tenth of the time in which whoever made it would have let it go.
    changed = {"deadline_scale": 0.1}
    outside.place.settings = outside.place.settings.model_copy(update=changed)
    assert outside.run(RESET).code == 0
    outside.nothing_is_left()


def test_an_outage_of_the_api_while_it_runs_is_bridged(outside: Outside) -> None:
    with started(outside) as client:
        outside.place.cluster.control.order("outage", seconds=5)
    ended = outside.place.end(client)
    assert ended.code == 0, ended
    outside.nothing_is_left()


def test_a_log_that_cannot_be_read_for_a_while_is_read_later(outside: Outside) -> None:
    changed = {"deadline_scale": 0.1}
    outside.place.settings = outside.place.settings.model_copy(update=changed)
    control = outside.place.cluster.control
    with started(outside) as client:
        control.order("faults", action="status", path="/log$", status=500, times=1000)
        # Longer than this client waits for one answer.
        eventually(lambda: _must_have_hit(outside, 4), SOON)
        control.order("faults")
    ended = outside.place.end(client)
    assert ended.code == 0, ended
    assert "wipe the sandbox" in ended.errors
    outside.nothing_is_left()


def _must_have_hit(outside: Outside, times: int) -> None:
    told = outside.place.cluster.control.order("faults", action="status", path="none", times=0)
    assert told["outstanding"] <= 1000 - times


def test_a_pod_that_is_killed_has_something_left_to_undo(outside: Outside) -> None:
    with started(outside) as client:
        os.kill(outside.process(), signal.SIGKILL)
        ended = outside.place.end(client)
    assert ended.code == 5, ended
    assert "the Job has died without a word" in ended.error
    assert "137" in ended.error
    assert outside.job() is None
    assert outside.run(RECOVER).code == 0
    outside.nothing_is_left()


def test_one_that_takes_too_long_is_ended_and_undoes_itself(outside: Outside) -> None:
    name = "sandbox-lifecycle-refresh-from-prod"
    patch = {"spec": {"jobTemplate": {"spec": {"activeDeadlineSeconds": 60}}}}
    outside.change(_CRON_JOBS, name, patch)
    try:
        with slowed_down(outside.place):
            ended = outside.run(REFRESH)
    finally:
        patch["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] = 3600
        outside.change(_CRON_JOBS, name, patch)
    # Its pod goes with it, so it is a matter of chance whether its last words are heard.
    heard = "has put everything back" in ended.error
    assert ended.code == (1 if heard else 5), ended
    assert "DeadlineExceeded" in ended.error
    outside.nothing_is_left()


def test_a_job_that_somebody_deletes_is_told(outside: Outside) -> None:
    with started(outside) as client:
        where = path(JOBS, outside.where, JOB)
        outside.place.admin.ask("DELETE", where, {"propagationPolicy": "Foreground"})
        ended = outside.place.end(client)
    assert ended.code == 1, ended
    assert "somebody has deleted jobs.batch" in ended.error
    outside.nothing_is_left()


def test_a_command_that_cannot_begin_is_told(outside: Outside) -> None:
    """As where the image is missing: here it is a map that the settings are to come from."""
    admin, where = outside.place.admin, path(CONFIG_MAPS, outside.where, "sandbox-lifecycle")
    standing = admin.ask("GET", where)
    admin.ask("DELETE", where)
    changed = {"deadline_scale": 0.01}
    outside.place.settings = outside.place.settings.model_copy(update=changed)
    try:
        ended = outside.run(RESET)
    finally:
        kept = {"name": "sandbox-lifecycle", "namespace": outside.where}
        admin.create({**standing, "metadata": kept})
    assert ended.code == 1, ended
    assert "does not begin" in ended.error
    assert 'configmap \\"sandbox-lifecycle\\" not found' in ended.error.replace("\\\\", "\\")


def test_a_verb_without_a_template_is_told(outside: Outside) -> None:
    admin, name = outside.place.admin, "sandbox-lifecycle-reset"
    where = path(_CRON_JOBS, outside.where, name)
    standing = admin.ask("GET", where)
    admin.ask("DELETE", where)
    try:
        ended = outside.run(RESET)
    finally:
        kept = {"name": name, "namespace": outside.where}
        admin.create({**standing, "metadata": kept})
    assert ended.code == 2, ended
    assert f"there is no cronjobs.batch {name}" in ended.error


def test_a_report_of_the_changes_is_not_to_be_had_from_a_job(outside: Outside) -> None:
    ended = outside.run(RESET, f"--changes={outside.place.folder / 'changes.txt'}")
    assert ended.code == 2
    assert outside.job() is None


def test_by_kubectls_way_a_failure_is_a_failed_job(outside: Outside) -> None:
    """`kubectl create job --from=cronjob/…`, where the run is refused."""
    admin, where = outside.place.admin, outside.where
    template = admin.ask("GET", path(_CRON_JOBS, where, "sandbox-lifecycle-checkpoint"))
    place = outside.place
    place.settings = place.platform.settings
    with place.held(REFRESH, "dump prod and take its fingerprint") as process:
        body = {"metadata": {"name": "by-hand"}, "spec": template["spec"]["jobTemplate"]["spec"]}
        admin.ask("POST", path(JOBS, where), body)

        def must_have_failed() -> None:
            job = admin.ask("GET", path(JOBS, where, "by-hand"))
            conditions = job["status"].get("conditions", [])
            told = [(each["type"], each["reason"]) for each in conditions]
            assert told == [("Failed", "BackoffLimitExceeded")]

        eventually(must_have_failed, SOON)
        (pod,) = [
            each
            for each in admin.ask("GET", path(PODS, where))["items"]
            if each["metadata"]["name"].startswith("by-hand")
        ]
        (container,) = pod["status"]["containerStatuses"]
        assert container["state"]["terminated"]["exitCode"] == 3
        assert place.go_on(process).code == 0
    admin.ask("DELETE", path(JOBS, where, "by-hand"))


def test_a_night_refreshes_the_sandbox_and_makes_that_golden(outside: Outside) -> None:
    place, admin, where = outside.place, outside.place.admin, outside.where
    place.settings = place.platform.settings
    place.write_traffic()
    template = admin.ask("GET", path(_CRON_JOBS, where, "sandbox-lifecycle-nightly"))
    body = {"metadata": {"name": "night"}, "spec": template["spec"]["jobTemplate"]["spec"]}
    admin.ask("POST", path(JOBS, where), body)

    def must_be_over() -> None:
        conditions = admin.ask("GET", path(JOBS, where, "night"))["status"].get("conditions", [])
        assert [each["type"] for each in conditions] == ["Complete"]

    before = place.settings.golden.directory.iterdir()
    held = {each.name for each in before}
    try:
        eventually(must_be_over, SOON)
        assert place.is_prod()
        assert place.is_golden()
        assert {each.name for each in place.settings.golden.directory.iterdir()} - held
    finally:
        admin.ask("DELETE", path(JOBS, where, "night"))
        # As every other test begins: what is golden is not what prod holds.
        place.write_traffic()
        checkpoint(place.settings, Silent())
