"""The image of the stage: the project with its small ERP, and PostgreSQL's client tools."""

from __future__ import annotations

import os
from pathlib import Path

from tests.stage.layers import USER, Layers
from tests.stage.oci import Image

NAME = "localhost/sandbox-lifecycle:stage"
"""What pods call it."""

_CONFIG = {
    "User": f"{USER}:{USER}",
    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "PYTHONUNBUFFERED=1"],
    "Entrypoint": ["sandbox-lifecycle"],
    "WorkingDir": "/",
}


def write_image(path: Path) -> None:
    """Write the image of this checkout to a file; half a minute once, seconds afterwards.

    Args:
        path: The file, for `ctr images import`.

    Raises:
        FailedError: It cannot be made.
    """
    Image(NAME, Layers(cache_directory()).all(), _CONFIG).write(path)


def cache_directory() -> Path:
    """Where layers are kept from one run to the next."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "sandbox-lifecycle" / "stage" / "layers"
