"""The way in as the service account of a pod, where there is none. tests/stage has a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.credentials.sources import logins
from harness.errors import ConfigurationError
from harness.postgres.connection import Run

from .administrator import leasing

if TYPE_CHECKING:
    from pathlib import Path

    from .place import Place


def test_a_token_that_is_not_there_is_named(place: Place, tmp_path: Path) -> None:
    token = tmp_path / "token"
    way_in = {"kubernetes_role": "harness", "token_file": str(token)}
    settings = leasing(place.platform.settings, place.vault, **way_in)
    with pytest.raises(ConfigurationError) as refused, logins(settings, Run().id):
        pass
    assert str(token) in (refused.value.found or "")
    assert place.leased() == []
