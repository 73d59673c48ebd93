"""Build a twin in a process of its own, for tests that end it: tells when it is up, then waits.

python -m tests.integrity.twin.child < SETTINGS    (as JSON, on one line)
"""

from __future__ import annotations

import json
import signal
import sys

from harness.integrity.twin.server import Twin, twin_of
from harness.postgres.connection import Run
from harness.settings import Settings
from tests.local.child import Told, tell


def main() -> None:
    # As the command does: SIGTERM unwinds like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = Settings.of(json.loads(sys.stdin.readline()), origin="the test")
    with twin_of(settings, Run(), Told()) as twin:
        tell(f"up {isinstance(twin, Twin)}")
        sys.stdin.read()


if __name__ == "__main__":
    main()
