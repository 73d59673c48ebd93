"""The options of `pytest features/`, the target that they choose, and the lines that tell of it.

This module alone joins the local sandbox to the steps: a step cannot tell which target it works on.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.credentials.sources import logins
from harness.errors import LifecycleError
from harness.integrity.report import rendered
from harness.lifecycle.audit import audit
from harness.local.platform import LocalOptions, local_platform
from harness.postgres.connection import Run
from harness.progress import Silent
from harness.reports.file import ReportFile
from harness.reports.form import Form
from harness.settings import Settings
from steps.people import Person, Traffic
from steps.proof import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.integrity.report.model import Report
    from harness.local.cluster import LocalCluster

pytest_plugins = [
    "steps.attempt",
    "steps.changes",
    "steps.audit",
    "steps.client_tools",
    "steps.cluster",
    "steps.collector",
    "steps.deaths",
    "steps.golden",
    "steps.prod",
    "steps.rehearsal",
    "steps.runner",
    "steps.sandbox",
]

# Scenarios wait for it whenever a whole machine is said to have died.
_LEASE_SECONDS = 1


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the choice of a target."""
    group = parser.getgroup("sandbox", "sandbox lifecycle")
    group.addoption(
        "--target", choices=("local", "live"), default="local", help="what the scenarios work on"
    )
    group.addoption(
        "--sandbox-config", type=Path, metavar="FILE", help="TOML file of the live target"
    )
    group.addoption(
        "--postgres",
        default="auto",
        metavar="auto|docker|binaries|DSN",
        help="where the local target's server comes from; DSN is a superuser's connection string",
    )
    group.addoption(
        "--scale", type=float, default=0.2, help="size of the sample prod of the local target"
    )
    group.addoption(
        "--prod-dump", type=Path, metavar="FILE", help="fill the local prod from this pg_dump file"
    )
    group.addoption(
        "--prod-globals", type=Path, metavar="FILE", help="script with the roles of that dump"
    )
    group.addoption(
        "--keep-sandbox",
        action="store_true",
        help="leave the local sandbox up at the end, as `sandbox-lifecycle local up` does",
    )
    group.addoption(
        "--audit-report",
        type=Path,
        metavar="FILE",
        help="write the audit's report: .html, .json or .txt",
    )


class Target:
    """The target of this run: opened when the first scenario is sure to need it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._settings: Settings | None = None
        self._report: Report | None = None
        self.outcomes = Outcomes()
        self.cluster: LocalCluster | None = None
        self.lines: list[str] = []

    @property
    def settings(self) -> Settings:
        """Its settings."""
        if self._settings is None:
            live = self._config.getoption("target") == "live"
            self._settings = self._open_live() if live else self._open_local()
        return self._settings

    @property
    def report(self) -> Report:
        """Its audit, which is made when a scenario asks for it, and once."""
        if self._report is None:
            self._report = audit(self.settings, Silent(), attempts=True)
        return self._report

    def write_report(self) -> None:
        """Write the report to the file that was asked for, if an audit was made."""
        path = self._config.getoption("audit_report")
        if path is None:
            return
        if self._report is None:
            self.lines = [f"audit: none was made, so {path} is not written"]
            return
        report = replace(self._report, scenarios=self.outcomes.scenarios)
        ReportFile.at(path).write(rendered(report, Form.of(path)))
        self.lines = [f"audit: {report.verdict}: {report.summary}; {path}"]

    def close(self) -> None:
        """Remove what was started for it."""
        self._stack.close()

    def _open_live(self) -> Settings:
        written = Settings.live(self._config.getoption("sandbox_config"))
        # Once for all scenarios, which look at the two sides between the runs as well.
        settings = self._stack.enter_context(logins(written, Run().id)).settings
        names = settings.cluster
        told = f"Application {names.application}" if names else "nobody runs an application"
        self.lines = [
            f"target: live, {self._config.getoption('sandbox_config')}",
            f"cluster: {told}",
        ]
        return settings

    def _open_local(self) -> Settings:
        option = self._config.getoption
        options = LocalOptions(
            postgres=option("postgres"),
            scale=option("scale"),
            prod_dump=option("prod_dump"),
            prod_globals=option("prod_globals"),
            keep=option("keep_sandbox"),
            durable=option("keep_sandbox"),
            **({} if option("keep_sandbox") else {"lease_seconds": _LEASE_SECONDS}),
        )
        platform = self._stack.enter_context(local_platform(options, Silent()))
        self.lines = [
            f"target: local, {platform.description}",
            f"prod: {platform.prod_origin}",
        ]
        self.cluster = platform.cluster
        if self.cluster is not None:
            policy = "admission and network policies not enforced here"
            self.lines.append(f"cluster: {self.cluster.description}; {policy}")
        return platform.settings


_target = pytest.StashKey[Target]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep wrong combinations of options from starting anything."""
    config.stash[_target] = Target(config)
    config.pluginmanager.register(config.stash[_target].outcomes)
    local = config.getoption("target") == "local"
    if local and config.getoption("sandbox_config") is not None:
        raise pytest.UsageError("--sandbox-config describes a live target: add --target=live")
    if not local and config.getoption("sandbox_config") is None:
        raise pytest.UsageError("--target=live needs --sandbox-config=FILE; nothing is guessed")
    workers = config.getoption("numprocesses", None)
    if workers not in (None, 0, 1):
        if not local:
            raise pytest.UsageError(f"-n {workers}: a live target has one sandbox; leave -n out")
        for option, told in (("keep_sandbox", "sandbox can be kept"), ("audit_report", "report")):
            if config.getoption(option):
                raise pytest.UsageError(f"-n {workers}: only one {told}; leave -n out")
    if (path := config.getoption("audit_report")) is not None:
        try:
            Form.of(path)
            ReportFile.at(path)
        except LifecycleError as error:
            raise pytest.UsageError(str(error)) from error


def pytest_report_header(config: pytest.Config) -> str:
    """Say in the first lines what the scenarios will work on."""
    if config.getoption("target") == "live":
        return f"sandbox: live, {config.getoption('sandbox_config')}"
    content = config.getoption("prod_dump") or f"sample of scale {config.getoption('scale'):g}"
    each = "each worker's own " if config.getoption("numprocesses", None) else ""
    kind = config.getoption("postgres").partition(":")[0]
    return f"sandbox: {each}local (--postgres={kind}), prod filled from {content}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs the administrator of the cluster, where the target lends none."""
    if config.getoption("target") == "live":
        reason = "a live target lends nobody its administrator: run it on the local one"
        for item in items:
            if item.get_closest_marker("local"):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Open the target if a scenario was collected, and say what it turned out to be."""
    wanted = any(item.path.suffix == ".feature" for item in items)
    if not wanted or config.getoption("collectonly"):
        return []
    target = config.stash[_target]
    try:
        _ = target.settings
    except LifecycleError as error:
        code = error.exit_code
        pytest.exit(f"the target cannot be had (exit code {code})\n{error}", returncode=code)
    return target.lines


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the audit's report, and remove what was started, after the last fixture is gone."""
    target = session.config.stash[_target]
    try:
        target.write_report()
    finally:
        target.close()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what the audit came to, and where its report is."""
    if config.getoption("audit_report") is not None:
        for line in config.stash[_target].lines:
            terminalreporter.write_line(line)


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    """The target's settings; a Given may put others in their place for one scenario."""
    return request.config.stash[_target].settings


@pytest.fixture(scope="session")
def audit_report(request: pytest.FixtureRequest) -> Report:
    """The audit of the target, with every attempt: it takes its time, and nothing changes it."""
    return request.config.stash[_target].report


@pytest.fixture
def local_cluster(request: pytest.FixtureRequest) -> LocalCluster:
    """The cluster of the local target, for scenarios with the tag @local."""
    cluster = request.config.stash[_target].cluster
    assert cluster is not None, "the local target has no cluster"
    return cluster


@pytest.fixture
def person(local_cluster: LocalCluster, settings: Settings) -> Iterator[Person]:
    """Somebody who may change anything in the cluster; what they did is undone at the end."""
    assert settings.cluster is not None
    with ExitStack() as undo:
        pods = local_cluster.sandbox_processes
        yield Person(local_cluster.admin, settings.cluster, pods, undo)


@pytest.fixture
def prod_traffic(local_cluster: LocalCluster) -> Traffic:
    """Ordinary work on prod, through its ERP."""
    return Traffic(f"{local_cluster.prod.url}/traffic")
