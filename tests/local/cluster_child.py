"""A local cluster in a process of its own, for tests that end it: tells each phase, then waits.

The logins of prod and sandbox come on standard input, one line of JSON each.
"""

from __future__ import annotations

import json
import signal
import sys

from harness.deadlines import Deadlines
from harness.local.cluster import local_cluster
from harness.local.runs import local_run
from harness.sides import Login

from .child import Told, tell


def main() -> None:
    # As the command does: SIGTERM unwinds like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    prod, sandbox = (Login(**json.loads(sys.stdin.readline())) for _ in range(2))
    with local_run() as run, local_cluster(run, prod, sandbox, Deadlines(), Told()) as cluster:
        tell(f"up {cluster.control.url} {cluster.prod.url} {cluster.sandbox.url}")
        sys.stdin.read()


if __name__ == "__main__":
    main()
