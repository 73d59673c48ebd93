"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# Examples are not remembered: a checkout may be read-only, and a run must not depend on the last.
settings.register_profile("project", database=None, deadline=None)
settings.load_profile("project")
