"""A local run in a process of its own, for tests that end it: tells each phase, then waits.

python -m tests.local.child POSTGRES [keep] [cluster]
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.local.platform import LocalOptions, local_platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.progress import Advance


class Told:
    """Tells the phases to whoever reads standard output."""

    @contextmanager
    def phase(self, title: str, total: int | None = None) -> Iterator[Advance]:
        del total
        tell(title)
        yield lambda _steps: None


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    # As the command does: SIGTERM unwinds like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = LocalOptions(
        postgres=sys.argv[1],
        scale=0.01,
        keep="keep" in sys.argv[2:],
        cluster="cluster" in sys.argv[2:],
        durable=False,
    )
    with local_platform(options, Told()) as platform:
        tell(f"up {platform.run.path}")
        sys.stdin.read()


if __name__ == "__main__":
    main()
