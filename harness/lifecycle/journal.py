"""The journal of a run: what was there before, so that whoever comes later can put it back.

It lies in the Lease and, written together with the pause, in the Application. It is data and never
an order: original values and the id of a golden copy, no path, no image, no SQL. What does not fit
the schema, names other objects, or differs between the two places is refused.
"""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003  pydantic needs the type at run time
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from harness.errors import UndoOutstandingError

_LONGEST = 16 * 1024

Verb = Literal["refresh-from-prod", "reset", "checkpoint"]
Uid = Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{1,64}$")]


def _json(text: str | None) -> str | None:
    if text is not None:
        json.loads(text)
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ApplicationBefore(_Strict):
    """The Application as it was.

    Args:
        uid: Which object; one made anew under the same name is another.
        policy: JSON of its `spec.syncPolicy`, or None where there was none.
    """

    uid: Uid
    policy: Annotated[str | None, AfterValidator(_json)]


class WorkloadBefore(_Strict):
    """The Deployment as it was.

    Args:
        uid: Which object.
        replicas: How many replicas it was to have.
    """

    uid: Uid
    replicas: Annotated[int, Field(ge=0, le=1000)]


class Journal(_Strict):
    """One run's journal.

    Args:
        version: Of this schema.
        run: Id of the run.
        verb: What it was about to do.
        started: When.
        system_identifier: The server's; content is put back on no other.
        database_oid: The sandbox database's.
        golden: The golden copy that was the newest then, or None.
        application: The Application as it was.
        workload: The Deployment as it was.
    """

    version: Literal[1] = 1
    run: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    verb: Verb
    started: Annotated[datetime, Field(strict=False)]
    system_identifier: int
    database_oid: int
    golden: Annotated[str | None, Field(pattern=r"^[0-9]{8}T[0-9.]+Z-[0-9a-f]{8}$")]
    application: ApplicationBefore
    workload: WorkloadBefore

    @property
    def text(self) -> str:
        """The journal as it is stored."""
        return self.model_dump_json()

    @classmethod
    def parse(cls, text: str, *, place: str) -> Self:
        """Read a stored journal.

        Args:
            text: What was found.
            place: Where, for the error's text.

        Raises:
            UndoOutstandingError: It is not a journal as this program writes it.
        """
        what = f"the journal in {place} is not one"
        if len(text) > _LONGEST:
            raise refusal(what, f"{len(text)} characters, at most {_LONGEST} are read")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or 'text'}: {item['msg']}"
                for item in error.errors()
            )
            raise refusal(what, wrong) from None


def agreed(in_lease: str | None, in_application: str | None) -> Journal | None:
    """The journal that both places hold, or the one that there is; None where there is none.

    A Lease that somebody deleted leaves the Application's copy, and the run may have died before it
    paused: either alone is enough. Two that differ are not both the same run's.

    Raises:
        UndoOutstandingError: They differ, or one is no journal.
    """
    found = [
        Journal.parse(text, place=place)
        for text, place in ((in_lease, "the Lease"), (in_application, "the Application"))
        if text
    ]
    if not found:
        return None
    if found[0] != found[-1]:
        raise refusal(
            "the journals in the Lease and in the Application differ",
            f"runs {found[0].run} and {found[-1].run}",
        )
    return found[0]


def refusal(what: str, found: str) -> UndoOutstandingError:
    """The error for a journal that cannot be followed; nothing has been done."""
    return UndoOutstandingError(
        what,
        found=found,
        expected="the journal of one run, the same in the Lease and in the Application",
        remedy="nothing has been done. Put replicas and self-heal right by hand, remove both"
        " journal annotations, then sandbox-lifecycle reset",
    )
