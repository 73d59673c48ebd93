"""A question to the running application that only the right content can answer.

An HTTP status says little: Dolibarr answers 200 on an empty database too. The name of the company
comes out of the content.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from harness.deadlines import eventually
from harness.errors import FailedError

if TYPE_CHECKING:
    from harness.deadlines import Deadlines

_COMPANY = "/api/index.php/setup/company"


def expect_company(url: str, company: str | None, deadlines: Deadlines) -> None:
    """Ask the application which company it belongs to, until it gives the right answer.

    Args:
        url: Where it answers.
        company: What the content says.
        deadlines: The table of deadlines.

    Raises:
        FailedError: It answers something else, or nothing.
    """
    eventually(lambda: _ask(url, company, deadlines), deadlines.application_answer)


def _ask(url: str, company: str | None, deadlines: Deadlines) -> None:
    try:
        # Straight to the application: a proxy of the operator's shell has no business here.
        with build_opener(ProxyHandler({})).open(
            url.rstrip("/") + _COMPANY, timeout=deadlines.connect.seconds
        ) as answer:
            found = json.load(answer).get("name")
    except (URLError, ValueError, OSError, AttributeError) as error:
        raise _unexpected(url, str(error), company) from error
    if found != company:
        raise _unexpected(url, repr(found), company)


def _unexpected(url: str, found: str, company: str | None) -> FailedError:
    return FailedError(
        "the application does not answer from the sandbox's content",
        found=f"{url}{_COMPANY}: {found}",
        expected=repr(company),
        remedy="look at the application's log, and whether it uses this database",
    )
