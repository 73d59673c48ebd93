"""A local platform whose prod holds what a test makes up."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

from harness.local.platform import local_platform
from harness.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.deadlines import Deadlines
    from harness.local.layout import Layout
    from harness.local.platform import LocalOptions, LocalPlatform
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.progress import Progress


class MadeUpProd:
    """A `ProdContent` that needs nothing beside the layout, and leaves prod empty."""

    def check(
        self, server: LocalServer, run: LocalRun, deadlines: Deadlines, progress: Progress
    ) -> None:
        """It needs nothing."""

    def prepare(self, server: LocalServer, run: LocalRun) -> None:
        """It needs nothing beside the layout."""

    def fill(self, server: LocalServer, logins: Layout, run: LocalRun, progress: Progress) -> None:
        """Prod stays empty."""

    def __str__(self) -> str:
        return "nothing"


@contextmanager
def platform_with(prod: MadeUpProd, options: LocalOptions) -> Iterator[LocalPlatform]:
    """Start it; platforms that others start meanwhile have a prod of their own."""
    with ExitStack() as stack:
        with patch("harness.local.prod_content.choose", return_value=prod):
            platform = stack.enter_context(local_platform(options, Silent()))
        yield platform
