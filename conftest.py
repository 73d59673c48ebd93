"""The target of `pytest features/`, what it lends, and the lines that tell of it.

This module alone joins the local sandbox to the steps: a step cannot tell which target it works on.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.credentials.sources import logins
from harness.errors import LifecycleError
from harness.integrity.report import rendered
from harness.lifecycle.audit import audit
from harness.local.lent import Lent, lent_by_live
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

pytest_plugins = [
    "steps.attempt",
    "steps.changes",
    "steps.audit",
    "steps.client_tools",
    "steps.cluster",
    "steps.collector",
    "steps.deaths",
    "steps.golden",
    "steps.options",
    "steps.prod",
    "steps.rehearsal",
    "steps.runner",
    "steps.sandbox",
]

# Scenarios wait for it whenever a whole machine is said to have died.
_LEASE_SECONDS = 1


class Target:
    """The target of this run: opened when the first scenario is sure to need it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._settings: Settings | None = None
        self._report: Report | None = None
        self.outcomes = Outcomes()
        self.lent = Lent()
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
        option = self._config.getoption
        self.lent = self._stack.enter_context(
            lent_by_live(names, option("cluster_admin"), option("prod_traffic"), settings.deadlines)
        )
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
        if platform.cluster is not None:
            policy = "admission and network policies not enforced here"
            self.lines.append(f"cluster: {platform.cluster.description}; {policy}")
            self.lent = Lent.by_local(platform.cluster)
        return platform.settings


_target = pytest.StashKey[Target]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the target of this run, which is not opened yet."""
    config.stash[_target] = Target(config)
    config.pluginmanager.register(config.stash[_target].outcomes)


def pytest_report_header(config: pytest.Config) -> str:
    """Say in the first lines what the scenarios will work on."""
    if config.getoption("target") == "live":
        return f"sandbox: live, {config.getoption('sandbox_config')}"
    content = config.getoption("prod_dump") or f"sample of scale {config.getoption('scale'):g}"
    each = "each worker's own " if config.getoption("numprocesses", None) else ""
    kind = config.getoption("postgres").partition(":")[0]
    return f"sandbox: {each}local (--postgres={kind}), prod filled from {content}"


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
def person(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Person]:
    """Somebody who may change anything in the cluster; what they did is undone at the end."""
    lent = request.config.stash[_target].lent
    if settings.cluster is None:
        pytest.skip("nobody runs an application on this target: no [cluster] in its settings")
    assert lent.admin is not None, "the scenario lacks the tag @administrator"
    assert lent.hang_up is not None
    with ExitStack() as undo:
        yield Person(lent.admin, settings.cluster, lent.hang_up, undo)


@pytest.fixture
def prod_traffic(request: pytest.FixtureRequest) -> Traffic:
    """Ordinary work on prod, through its ERP."""
    url = request.config.stash[_target].lent.traffic
    assert url is not None, "the scenario lacks the tag @prod_traffic"
    return Traffic(url)
