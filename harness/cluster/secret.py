"""A Secret of the cluster: read by its name, as the harness's own identity may."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

from harness.cluster.resources import SECRETS, Target
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cluster.api import Api


class Secrets:
    """The Secrets that the settings name.

    Args:
        api: The API.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def read(self, namespace: str, name: str, entries: Sequence[str]) -> list[str]:
        """The values of some entries of a Secret.

        Raises:
            ConfigurationError: An entry is not there, or holds no text.
            ApiError: The Secret cannot be read.
        """
        target = Target(SECRETS, namespace, name)
        data = self._api.get(target).get("data") or {}
        missing = [entry for entry in entries if not data.get(entry)]
        if missing:
            raise ConfigurationError(
                f"{target} does not hold a login",
                found=f"no {', no '.join(missing)}",
                expected=f"the entries {' and '.join(entries)}",
                remedy="name its entries in the settings, or let whoever fills it fill it;"
                " nothing has been changed",
            )
        return [b64decode(data[entry]).decode().rstrip("\n") for entry in entries]
