"""Every setting, with its unit, its default and the reason for it. One place, frozen.

A local run needs none of them. For a live target they stand in one TOML file
(`--sandbox-config FILE`); a value missing there is named, never guessed. Any of them can also come
from the environment, as `SANDBOX_LIFECYCLE_GOLDEN__GENERATIONS=5`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path  # noqa: TC003  pydantic needs the type at run time
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from harness.deadlines import Deadlines
from harness.errors import ConfigurationError
from harness.settings.cluster import ClusterSettings
from harness.settings.frozen import Frozen
from harness.settings.in_cluster import InClusterSettings
from harness.settings.side import ProdSettings, SandboxSettings, SideSettings
from harness.settings.vault import VaultSettings  # noqa: TC001  pydantic needs it at run time

__all__ = ["ClusterSettings", "SandboxSettings", "Settings", "SideSettings"]

ENVIRONMENT_PREFIX = "SANDBOX_LIFECYCLE_"
_NESTED = "__"


class GoldenSettings(Frozen):
    """Where golden copies are kept."""

    directory: Annotated[
        Path, Field(description="A directory on durable storage; the golden-cache volume.")
    ]
    generations: Annotated[
        int,
        Field(ge=1, description="How many checkpoints are kept. Three: the last, and two regrets."),
    ] = 3
    shadow: Annotated[
        bool,
        Field(
            description="Keep a shadow of every table in the sandbox database (about as large as"
            " its tables), so that a reset costs what was changed. Off: every reset is a restore."
        ),
    ] = True
    find_changes: Annotated[
        Literal["auto", "pages", "scan"],
        Field(
            description="How a reset finds changed rows. pages: by the pages that were changed,"
            " which needs the provisioner's grant on pg_visibility. scan: by looking at each table"
            " that may have been written. auto: pages where granted."
        ),
    ] = "auto"
    verify: Annotated[
        Literal["touched", "tables", "full"],
        Field(
            description="What a differential reset compares with the golden copy before it commits:"
            " the rows it touched; also each table it looked at, whole; or everything."
        ),
    ] = "touched"
    most_changed_rows: Annotated[
        int,
        Field(
            ge=1,
            description="Above so many rows to look at one by one the golden copy is restored"
            " instead. 250,000: some 100 MB of memory, and a restore is hardly slower.",
        ),
    ] = 250_000
    listed_rows: Annotated[
        int,
        Field(
            ge=0,
            description="How many changed rows of each kind and table are listed; totals always.",
        ),
    ] = 100


class ToolSettings(Frozen):
    """Client tools (pg_dump, pg_restore), and how they are run."""

    directory: Annotated[
        Path | None,
        Field(description="Folder with the client tools. Default: searched, the server's major."),
    ] = None
    companion_directory: Annotated[
        Path | None,
        Field(description="Client tools that came with the server; searched after the system's."),
    ] = None
    allow_other_major: Annotated[
        bool,
        Field(
            description="Accept tools newer than the server. Off: an 18 restoring into a 15 sets"
            " parameters that 15 does not know."
        ),
    ] = False
    jobs: Annotated[
        int,
        Field(
            ge=1,
            le=16,
            description="Connections used at once to restore and to hash. Two: prod shares the"
            " server, and gains beyond two were small.",
        ),
    ] = 2
    work_directory: Annotated[
        Path | None,
        Field(
            description="Where prod's transient dump lies while a refresh runs (about the size of"
            " prod's rows). Default: the system's temporary directory."
        ),
    ] = None


class CheckSettings(Frozen):
    """What a good copy must show besides being equal to prod, and what an audit may find."""

    minimum_tables: Annotated[
        int,
        Field(
            ge=1,
            description="Fewest llx_* tables of a believable Dolibarr. 250: a fresh install has"
            " 272, so anything below is a restore that stopped.",
        ),
    ] = 250
    provisioner_functions: Annotated[
        tuple[str, ...],
        Field(
            description="Functions in schema public that each environment has by itself and that"
            " are never copied. user_lookup is PgBouncer's auth_query."
        ),
    ] = ("user_lookup",)
    approved: Annotated[
        Path | None,
        Field(
            description="TOML file that lists what the platform accepts of what an audit finds or"
            " cannot prove: [[accepted]] entries with id, reason, date and expires, where the id is"
            " what the audit prints, to the letter. Default: nothing is accepted."
        ),
    ] = None


class Settings(BaseSettings):
    """The whole configuration of a target."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter=_NESTED,
    )

    prod: ProdSettings
    sandbox: SandboxSettings
    golden: GoldenSettings
    tools: ToolSettings = ToolSettings()
    checks: CheckSettings = CheckSettings()
    cluster: Annotated[
        ClusterSettings | None,
        Field(description="The cluster that runs the application. Default: nobody runs it."),
    ] = None
    vault: Annotated[
        VaultSettings | None,
        Field(description="Where logins are leased. Default: nobody leases any."),
    ] = None
    in_cluster: InClusterSettings = InClusterSettings()
    deadline_scale: Annotated[
        float,
        Field(gt=0, description="Stretches every deadline; 2 doubles all waiting."),
    ] = 1.0

    @property
    def deadlines(self) -> Deadlines:
        """The table of deadlines, stretched by `deadline_scale`."""
        return Deadlines().scaled(self.deadline_scale)

    def clustered(self, missing: str, *, expected: str) -> ClusterSettings:
        """The cluster, for what cannot be done without.

        Args:
            missing: What there is not, where there is no cluster.
            expected: What of it is needed.

        Raises:
            ConfigurationError: There is none.
        """
        if self.cluster is None:
            raise ConfigurationError(
                missing,
                found="settings without a table [cluster]",
                expected=expected,
                remedy="add [cluster] to the settings; README.md shows a complete one",
            )
        return self.cluster

    def with_golden(self, **changed: Any) -> Self:
        """The same target, with other values for golden copies."""
        return self.model_copy(update={"golden": self.golden.model_copy(update=changed)})

    def with_tools(self, **changed: Any) -> Self:
        """The same target, with other values for client tools."""
        return self.model_copy(update={"tools": self.tools.model_copy(update=changed)})

    @model_validator(mode="after")
    def _sources_are_told(self) -> Self:
        sides = {"prod": self.prod, "sandbox": self.sandbox}
        for name, side in sides.items():
            if side.vault_role is not None and self.vault is None:
                raise ValueError(f"{name}.vault_role needs the table [vault]")
            if side.secret is not None and self.cluster is None:
                raise ValueError(f"{name}.secret needs the table [cluster]")
        return self

    @classmethod
    def of(cls, values: dict[str, Any], *, origin: str) -> Self:
        """Build settings from plain values.

        Args:
            values: Nested values as in the TOML file.
            origin: Where they come from, for the error's text.

        Raises:
            ConfigurationError: A value is missing, unknown or of the wrong kind; each is named.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            # pydantic's own text would show the offending input, and a DSN holds a password.
            wrong = "; ".join(
                f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
            )
            raise ConfigurationError(
                f"the configuration of the target is not usable ({origin})",
                found=wrong,
                expected="the settings of README.md, section Configuration, of the kind told there",
                remedy="mend the entries named above; nothing has been changed",
            ) from None

    @classmethod
    def live(cls, path: Path | None) -> Self:
        """The live target that a TOML file describes.

        Raises:
            ConfigurationError: No file is named, it cannot be read, is not TOML, or `of` refuses
                its content.
        """
        if path is None:
            raise ConfigurationError(
                "nobody says where the live sandbox is",
                found="--target=live without --sandbox-config",
                expected="a TOML file with the tables [prod], [sandbox] and [golden]",
                remedy="add --sandbox-config=FILE; README.md shows a complete one",
            )
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(
                f"the configuration file {path} cannot be read",
                found=str(error),
                expected="a TOML file with the tables [prod], [sandbox] and [golden]",
                remedy="give its path with --sandbox-config; README.md shows a complete one",
            ) from error
        return cls.of(values, origin=str(path))
