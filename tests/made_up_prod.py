"""A local platform whose prod holds what a test makes up."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

from harness.local.platform import local_platform
from harness.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.local.platform import LocalOptions, LocalPlatform
    from harness.local.prod_content import ProdContent


@contextmanager
def platform_with(prod: ProdContent, options: LocalOptions) -> Iterator[LocalPlatform]:
    """Start it; platforms that others start meanwhile have a prod of their own."""
    with ExitStack() as stack:
        with patch("harness.local.prod_content.choose", return_value=prod):
            platform = stack.enter_context(local_platform(options, Silent()))
        yield platform
