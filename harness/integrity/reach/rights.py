"""A right: something that one role could do to prod, whoever may become that role."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Right:
    """One right of one role.

    Args:
        role: OID of the role; `PUBLIC` is one.
        group: Which of the fifteen groups it belongs to.
        key: What it is, exactly and the same in every run, such as `owner of database erp`.
        what: What the role could do with it; the sentence begins with who could.
        closes: The statement that takes it away.
        steps: The last steps of the chain. Default: the key.
    """

    role: int
    group: int
    key: str
    what: str
    closes: str
    steps: tuple[str, ...] | None = None

    @property
    def chain(self) -> tuple[str, ...]:
        """The last steps of the chain that leads to prod."""
        return (self.key,) if self.steps is None else self.steps
