"""What `manifests --vault` prints: a script that is the very thing the other tests apply."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

from harness.credentials.vault import setup
from harness.deadlines import Deadline

if TYPE_CHECKING:
    from .place import Place

_PRINTED = Deadline(30, "a second on an idle machine")
_HERE = re.compile(r"<<'(\w+)'\n(.*?)^\1$", re.DOTALL | re.MULTILINE)


def printed(place: Place) -> str:
    process = place.start("manifests", "--vault")
    assert process.ends(_PRINTED) == 0, process.said()
    return process.printed()


def test_the_script_holds_what_is_applied_here(place: Place) -> None:
    found: dict[str, list[str]] = {}
    for kind, text in _HERE.findall(printed(place)):
        found.setdefault(kind, []).append(text)
    assert found["SQL"] == [setup.read_role(place.settings)]
    assert found["HCL"] == [setup.policy(place.settings)]
    _, auth = setup.auth_role(place.settings)
    roles = setup.database_roles(place.settings).values()
    assert [json.loads(text) for text in found["JSON"]] == [*roles, auth]


def test_the_script_is_one_for_sh_and_holds_no_secret(place: Place) -> None:
    script = printed(place)
    subprocess.run(["/bin/sh", "-n"], input=script, text=True, check=True)
    assert (place.folder / "secret-id").read_text(encoding="utf-8").strip() not in script
    assert str(place.platform.superuser.password) not in script


def test_without_a_vault_it_says_what_is_missing(place: Place) -> None:
    process = place.start("manifests", "--vault", settings=place.platform.settings)
    assert process.ends(_PRINTED) == 2
    assert "[vault]" in process.said()


def test_what_a_lease_of_the_sandbox_makes_belongs_to_the_owner_role(place: Place) -> None:
    (role,) = [
        payload
        for path, payload in setup.database_roles(place.settings).items()
        if path.endswith("erp-sandbox")
    ]
    (creation,) = role["creation_statements"]
    assert 'IN ROLE "erp_sandbox_role"' in creation
    assert 'SET role TO "erp_sandbox_role"' in creation
