"""The options of `pytest features/`, which combinations are wrong, and what each lets run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import LifecycleError
from harness.reports.file import ReportFile
from harness.reports.form import Form

if TYPE_CHECKING:
    from collections.abc import Iterator

# What only an owner can lend: the local target lends all of it, a live one what these options say.
_LENT = {
    "administrator": ("cluster_admin", "somebody who may do anything in its cluster"),
    "prod_traffic": ("prod_traffic", "somebody who works on prod"),
}


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
        "--cluster-admin",
        type=Path,
        metavar="KUBECONFIG",
        help="lend the live target's scenarios somebody who may do anything in its cluster",
    )
    group.addoption(
        "--prod-traffic",
        metavar="URL",
        help="lend them ordinary work on the live prod: each POST there writes one event",
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


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep wrong combinations of options from starting anything."""
    for told in (*_wrong_targets(config), *_wrong_workers(config)):
        raise pytest.UsageError(told)
    if (path := config.getoption("audit_report")) is not None:
        try:
            Form.of(path)
            ReportFile.at(path)
        except LifecycleError as error:
            raise pytest.UsageError(str(error)) from error


def _wrong_targets(config: pytest.Config) -> Iterator[str]:
    option = config.getoption
    if option("target") == "live":
        if option("sandbox_config") is None:
            yield "--target=live needs --sandbox-config=FILE; nothing is guessed"
        return
    if option("sandbox_config") is not None:
        yield "--sandbox-config describes a live target: add --target=live"
    for name, told in _LENT.values():
        if option(name) is not None:
            yield f"{_flag(name)}: the local target lends {told} by itself"


def _wrong_workers(config: pytest.Config) -> Iterator[str]:
    workers = config.getoption("numprocesses", None)
    if workers in (None, 0, 1):
        return
    if config.getoption("target") == "live":
        yield f"-n {workers}: a live target has one sandbox; leave -n out"
    for name, told in (("keep_sandbox", "sandbox can be kept"), ("audit_report", "report")):
        if config.getoption(name):
            yield f"-n {workers}: only one {told}; leave -n out"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs somebody whom the live target does not lend."""
    if config.getoption("target") == "local":
        return
    for marker, (option, told) in _LENT.items():
        if config.getoption(option) is None:
            skip = pytest.mark.skip(reason=f"needs {told}: {_flag(option)} lends that")
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(skip)


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"
