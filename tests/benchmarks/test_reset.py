from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from harness.errors import ConfigurationError
from harness.progress import Silent
from tests.benchmarks import reset, reset_report
from tests.benchmarks.__main__ import app
from tests.benchmarks.reset_measured import Measured
from tests.benchmarks.triggers import TriggersOrScan, Writes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

WAYS = {
    "connect",
    "locks",
    "pages",
    "pages, pool",
    "scan",
    "scan, pool",
    "durable",
    "restore",
    "FILE_COPY",
    "WAL_LOG",
    "10 rows",
}


def measured_at(megabytes: int, **ways: tuple[float, ...]) -> Measured:
    return Measured(
        label=f"{megabytes} MB",
        megabytes=megabytes,
        origin="made up",
        server="none",
        settings={},
        database_bytes=1,
        shadowed_bytes=2,
        dump_bytes=3,
        rows=4,
        checkpoint_seconds=5,
        ways=ways,
        commands={},
        triggers=None,
    )


def verdicts(*measured: Measured) -> dict[str, bool]:
    return {verdict.what: verdict.held for verdict in reset_report.verdicts(measured)}


def test_every_way_back_is_measured_on_one_server_and_told(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    done = CliRunner().invoke(app, ["reset", "--sizes", "20", "--repeat", "1", "--json", str(file)])
    # On a busy machine a limit may not be held; anything else has another exit code.
    assert done.exit_code in {0, 1}, done.output
    (told,) = json.loads(file.read_text(encoding="utf-8"))["measured"]
    assert set(told["ways"]) == WAYS
    assert all(len(taken) == 1 and taken[0] > 0 for taken in told["ways"].values())
    assert told["medians"] == {name: taken[0] for name, taken in told["ways"].items()}
    assert told["settings"]["fsync"] == "on"
    assert told["settings"]["server_version"] in done.stdout
    # About 30 MB of it is schema; the shadow is a copy of the rows.
    assert 25e6 < told["database_bytes"] < 50e6
    assert told["shadowed_bytes"] > told["database_bytes"]
    assert set(told["commands"]) == {"pages", "scan", "durable", "10 rows"}
    assert all(10e6 < run["own_peak"] <= 150e6 for run in told["commands"].values())
    assert told["triggers"]["scanned_rows"] > 400
    for title in ("every table locked", "TEMPLATE, WAL_LOG", "its peak memory", "pool / without"):
        assert title in done.output


def test_the_limits_of_each_size_are_its_own() -> None:
    seconds = {"pages": (0.1, 0.1, 9.0), "restore": (7.9,), "FILE_COPY": (0.9,), "WAL_LOG": (0.7,)}
    assert verdicts(measured_at(300, **seconds)) == {
        "300 MB: reset / the faster clone": False,
        "300 MB: reset / DROP OWNED + restore": False,
    }
    seconds |= {"restore": (8.1,), "WAL_LOG": (0.81,), "pages, pool": (0.19,)}
    assert verdicts(measured_at(300, **seconds)) == {
        "300 MB: reset / the faster clone": True,
        "300 MB: reset / DROP OWNED + restore": True,
        "300 MB: reset with a pool / without": True,
    }
    assert verdicts(
        measured_at(20, pages=(0.03,)), measured_at(3000, pages=(0.1,), WAL_LOG=(4.9,))
    ) == {
        "3000 MB: reset / the faster clone": False,
        "reset at the largest size / at the smallest": False,
    }


def test_what_triggers_cost_is_told_in_writes_that_a_scan_is_worth() -> None:
    found = TriggersOrScan(
        together=Writes((100e-6, 100e-6), (110e-6, 110e-6)),
        committed=Writes((1e-3,), (1.01e-3,)),
        scanned_rows=500_000,
        scans=(0.05, 0.05, 7.0),
    )
    assert found.scan_per_million == pytest.approx(0.1)
    assert found.together.slower == pytest.approx(10)
    assert found.committed.slower == pytest.approx(1)
    assert found.writes_worth_a_scan == pytest.approx(10_000)


@pytest.mark.parametrize(
    ("postgres", "sizes"), [("postgresql://root@db:5432/postgres", "20"), ("binaries", "20,x")]
)
def test_a_benchmark_that_drops_databases_takes_no_server_of_somebodys(
    postgres: str, sizes: str
) -> None:
    with pytest.raises(ConfigurationError):
        list(reset.databases(postgres, sizes, None, None))


def test_a_part_that_does_not_exist_is_named_before_anything_is_started() -> None:
    (database,) = reset.databases("binaries", "20", None, None)
    with pytest.raises(ConfigurationError, match="nonsense"):
        reset.measure(database, ["pages", "nonsense"], 1, Silent())
