"""Prod and sandbox as two types, so that what can destroy cannot be handed the wrong one.

A `Sandbox` is the only thing that the functions which wipe and restore accept; a `Prod` is only
ever read. Neither can be made from a string: both come from the settings, and are checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.errors import ConfigurationError, RefusedError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from harness.settings import SandboxSettings, Settings, SideSettings

_EXPLICIT = ("host", "user", "dbname")


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in to one database; the password never shows in a repr.

    Args:
        host: Name or address of the server, or the folder of its unix socket.
        port: TCP port.
        database: Name of the database.
        user: The login role.
        password: Its password, or None where the server asks for none.
        extra: Further libpq parameters of the connection string (`sslmode` and the like).
    """

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(repr=False)
    extra: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, dsn: SecretStr, *, name: str, password: str | None = None) -> Self:
        """Read a libpq connection string; nothing that libpq would guess is accepted as missing.

        Args:
            dsn: Connection string or URL.
            name: The setting it stands in, for the error's text.
            password: Overrides the one in the connection string.

        Raises:
            ConfigurationError: It is malformed, or names no host, user or database.
        """
        try:
            parts = {k: str(v) for k, v in conninfo_to_dict(dsn.get_secret_value()).items() if v}
        except ProgrammingError:
            parts = {}
        missing = [key for key in _EXPLICIT if key not in parts]
        if missing:
            raise ConfigurationError(
                f"{name} is not a complete connection string",
                found=f"no {', no '.join(missing)}",
                expected="postgresql://USER@HOST:PORT/DATABASE, host and user spelt out",
                remedy=f"complete {name}; libpq would fill the gap with the name of the OS user",
            )
        port = parts.pop("port", "5432")
        if not port.isdecimal():
            raise ConfigurationError(
                f"{name} is not a usable connection string",
                found=f"port {port}",
                expected="the number of one port of one server",
                remedy=f"correct {name}",
            )
        own_password = parts.pop("password", None)
        host, user, database = (parts.pop(key) for key in _EXPLICIT)
        return cls(
            host=host,
            port=int(port),
            database=database,
            user=user,
            password=password or own_password,
            extra=tuple(sorted(parts.items())),
        )

    @property
    def conninfo(self) -> str:
        """A libpq connection string, with the password: for drivers, never for argv or a log."""
        return make_conninfo(
            **dict(self.extra),
            host=self.host,
            port=self.port,
            dbname=self.database,
            user=self.user,
            **({"password": self.password} if self.password is not None else {}),
        )

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"


@dataclass(frozen=True, slots=True)
class Prod:
    """The production database: read, dumped, fingerprinted. Nothing here writes to it.

    Args:
        login: The harness's own leased login.
        owner_role: Owner of the database.
        read_role: The role that sessions act as, where it is not `owner_role`.
    """

    login: Login
    owner_role: str
    read_role: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The prod side of a target."""
        own = settings.prod
        return cls(_login(own, "prod.dsn"), own.owner_role, own.read_role)

    @property
    def acts_as(self) -> str:
        """The role that its sessions act as."""
        return self.read_role or self.owner_role


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The sandbox database: the only thing that may be wiped, and only after the handshake.

    Args:
        login: The harness's own leased login, a member of `owner_role`.
        owner_role: Owner of the database and of everything that is wiped.
        application: The application's login.
        shadow_owner_role: Owner of the shadow, where it is not `owner_role`.
        prod_database: Name of prod's database, which this one must never be.
        prod_owner_role: Owner of prod, which no identity of the sandbox may reach.
        system_identifier: The server's pinned identifier, or None: then the mark must vouch.
        database_oid: The database's pinned OID, or None, likewise.
    """

    login: Login
    owner_role: str
    application: Login
    shadow_owner_role: str | None
    prod_database: str
    prod_owner_role: str
    system_identifier: int | None
    database_oid: int | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The sandbox side of a target.

        Raises:
            RefusedError: It is prod, or shares prod's owner.
        """
        prod = Prod.of(settings)
        own = settings.sandbox
        login = _login(own, "sandbox.dsn")
        if login.database == prod.login.database:
            # Two names of one server look like two servers, so the name of the database decides.
            raise RefusedError(
                "prod and sandbox name the same database",
                found=f"prod is {prod.login}, sandbox is {login}",
                expected="two databases of one server, with different names",
                remedy="correct sandbox.dsn; nothing has been changed",
            )
        if own.owner_role == prod.owner_role:
            raise RefusedError(
                "prod and sandbox are said to have the same owner role",
                found=f"owner_role is {own.owner_role} on both sides",
                expected="an owner role for each side: it is what keeps the sandbox off prod",
                remedy="correct owner_role; nothing has been changed",
            )
        return cls(
            login=login,
            owner_role=own.owner_role,
            application=_application(own, login),
            shadow_owner_role=own.shadow_owner_role,
            prod_database=prod.login.database,
            prod_owner_role=prod.owner_role,
            system_identifier=own.system_identifier,
            database_oid=own.database_oid,
        )

    @property
    def acts_as(self) -> str:
        """The role that its sessions act as."""
        return self.owner_role


def _application(own: SandboxSettings, harness: Login) -> Login:
    if own.application_dsn is None:
        return harness
    login = Login.parse(own.application_dsn, name="sandbox.application_dsn")
    if login.database != harness.database:
        raise RefusedError(
            "the application's login leads to another database than the sandbox",
            found=f"sandbox.application_dsn names {login.database}",
            expected=harness.database,
            remedy="correct sandbox.application_dsn; nothing has been changed",
        )
    return login


def _login(side: SideSettings, name: str) -> Login:
    password = None
    if side.password_file is not None:
        try:
            password = side.password_file.read_text(encoding="utf-8").partition("\n")[0]
        except OSError as error:
            raise ConfigurationError(
                f"the password file of {name} cannot be read",
                found=str(error),
                expected="a file whose first line is the password",
                remedy="correct password_file or its permissions",
            ) from error
    return Login.parse(side.dsn, name=name, password=password)
