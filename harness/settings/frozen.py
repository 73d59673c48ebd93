"""What every table of the settings is: frozen, and without room for what nobody asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A table of settings; an unknown entry is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
