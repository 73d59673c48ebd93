"""The command's way in: it hears a signal before it is loaded."""

from __future__ import annotations

import gc

from harness import beginning


def main() -> None:
    """Load the command, which takes a second, and run it."""
    beginning.hear()
    gc.disable()  # what is loaded stays: looking through it for garbage is a tenth of that second
    from harness.cli import app  # noqa: PLC0415  what is loaded here is what takes the time

    gc.enable()
    app()


if __name__ == "__main__":
    main()
