"""The application is hammered through many resets, and no answer of it is wrong.

More of them: RESETS=200 pytest tests/reset/test_hammered.py
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.deadlines import Deadline
from harness.lifecycle.compare import differences_from_golden
from harness.lifecycle.reset import reset
from harness.local.cluster import SANDBOX
from harness.local.workloads import DEPLOYMENT
from harness.progress import Silent
from harness.sides import Sandbox
from tests.erp import erp
from tests.recovery.watching import Watcher

from .asking import Api
from .hammering import Hammer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.local.platform import LocalPlatform
    from harness.settings import Settings

    from .hammering import Figures
    from .pooled import Pool

RESETS = int(os.environ.get("RESETS", "40"))
POOLED_RESETS = max(1, RESETS // 4)
LONGEST = Deadline(1, "what a person at a browser does not take for a fault")
# A machine that is busy with other things holds a request up by itself. How long, is measured on it
# right before, without resets; on an idle one that is some hundredths of a second, so that the
# longest request through resets has to keep to the limit itself.
OF_THE_MACHINE = 10
LINES = [{"desc": "one day", "qty": 1, "subprice": "400", "tva_tx": "20"}]


@dataclass
class Standing:
    """What of the application is there for as long as nobody stops it."""

    pods: list[tuple[str, int]]
    deployment: int

    @classmethod
    def of(cls, platform: LocalPlatform) -> Standing:
        assert platform.cluster is not None
        admin = platform.cluster.admin
        return cls(
            pods=[
                (pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"])
                for pod in admin.pods(SANDBOX)
            ],
            deployment=admin.deployment(SANDBOX, DEPLOYMENT)["metadata"]["generation"],
        )


@pytest.fixture
def untouched(platform: LocalPlatform) -> Iterator[None]:
    """Nobody has stopped the application meanwhile, nor switched its self-heal off."""
    assert platform.cluster is not None
    before = Standing.of(platform)
    assert len(before.pods) == 1
    with Watcher(platform.cluster) as watcher:
        watcher.begin()
        yield
        assert watcher.off() == []
    assert Standing.of(platform) == before


@pytest.fixture
def told(
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> Callable[[Figures], None]:
    """Tell of what was measured: in the report, and on the terminal."""

    def tell(figures: Figures) -> None:
        record_property("figures", str(figures))
        with capsys.disabled():
            pytestconfig.get_terminal_writer().line(f"\n  {figures}")

    return tell


@pytest.mark.usefixtures("untouched")
def test_no_answer_is_wrong_through_many_resets(
    platform: LocalPlatform, told: Callable[[Figures], None]
) -> None:
    assert platform.cluster is not None
    told(hammered(platform.cluster.sandbox.url, platform.settings, RESETS))


@pytest.mark.usefixtures("untouched")
def test_nor_behind_a_pooler(
    platform: LocalPlatform, pool: Pool, tmp_path: Path, told: Callable[[Figures], None]
) -> None:
    with erp(pool.login, tmp_path) as app:
        told(hammered(app.url, platform.settings, POOLED_RESETS))
    assert pool.idle() == pool.pids


def test_the_same_work_gets_the_same_ids_and_number_after_each_reset(
    platform: LocalPlatform,
) -> None:
    assert platform.cluster is not None
    made = []
    for _ in range(3):
        made.append(sale(platform.cluster.sandbox.url))
        reset(platform.settings, Silent())
    assert made[0] == made[1] == made[2]


def hammered(url: str, settings: Settings, resets: int) -> Figures:
    """Hammer the ERP there through so many resets; tell what was measured."""
    login = Sandbox.of(settings).application
    with Hammer(url, login) as hammer:
        hammer.let_work(100)
    assert hammer.wrong == []
    of_the_machine = hammer.figures.longest
    in_place(settings)
    with Hammer(url, login) as hammer:
        for _ in range(resets):
            with hammer.reset():
                in_place(settings)
            hammer.let_work(3)
    assert hammer.wrong == []
    in_place(settings)
    assert list(map(str, differences_from_golden(settings))) == []
    figures = hammer.figures
    assert figures.longest <= max(LONGEST.seconds, OF_THE_MACHINE * of_the_machine), figures
    return figures


def in_place(settings: Settings) -> None:
    """A reset that left the application running."""
    done = reset(settings, Silent())
    assert (done.way, done.reason) == ("differential", None)


def sale(url: str) -> Any:
    """A third party and its invoice, as they were given out; only the moments differ."""
    api = Api(url)
    party = api.ask("POST", "/thirdparties", name="Même", code_client="CU-SAME").body
    invoice = api.ask("POST", "/invoices", socid=party["id"], validate=True, lines=LINES).body
    event = api.ask("POST", "/agendaevents", label="Same").body
    api.close()
    for each in (party, invoice):
        del each["date_modification"]
    return party, invoice, event
