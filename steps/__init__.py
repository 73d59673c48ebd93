"""What the Gherkin of `features/` means: the step definitions, and the collector of the files.

The collector stands on internals of pytest-bdd (its parser, and how it runs a scenario), which may
change in any minor version.
"""

from __future__ import annotations

from importlib.metadata import version

WRITTEN_FOR = "9.0"
"""The minor version of pytest-bdd whose internals are relied on; pyproject.toml pins it too."""

if (_installed := version("pytest-bdd")).split(".")[:2] != WRITTEN_FOR.split("."):
    raise ImportError(
        f"pytest-bdd {_installed} is installed, and steps/collector.py is written for "
        f"{WRITTEN_FOR}: install the version that pyproject.toml pins, `pip install -e .`"
    )
