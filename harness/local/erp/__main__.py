"""Run the ERP: `python -m harness.local.erp`, told by its environment alone, as in a container.

PORT                  where it listens
HOST                  on which address; unset: 127.0.0.1
ERP_DSN               its database; comes out of a Secret
ERP_SESSION_INTERVAL  seconds between two writes of the session that it holds; unset: it holds none
ERP_TRAFFIC           if set, each POST /traffic writes what ordinary work writes
"""

from __future__ import annotations

import os

from aiohttp import web

from harness.local.erp.requests import Erp
from harness.local.erp.session import held_session


def main() -> None:
    """Serve until SIGTERM."""
    dsn = os.environ["ERP_DSN"]
    application = Erp(dsn).application(has_traffic="ERP_TRAFFIC" in os.environ)
    if interval := os.environ.get("ERP_SESSION_INTERVAL"):
        application.cleanup_ctx.append(held_session(dsn, float(interval)))
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])
    web.run_app(application, host=host, port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
