"""The local platform as one thing: a server, laid out, prod filled, and settings to reach it."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.deadlines import Deadlines
from harness.local import layout, marks, prod_content
from harness.local.choice import local_server
from harness.local.cluster import local_cluster
from harness.local.marks import OWNERS, PROD_DATABASE, SANDBOX_DATABASE
from harness.local.runs import local_run
from harness.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from harness.local.cluster import LocalCluster
    from harness.local.layout import Layout
    from harness.local.runs import LocalRun
    from harness.local.servers import LocalServer
    from harness.progress import Progress
    from harness.sides import Login

_PINS = """
SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system()), oid::bigint
FROM pg_catalog.pg_database WHERE datname = %s
"""

_APPROVED = Path(__file__).with_name("approved.toml")
"""What this platform accepts of what an audit finds here, and why."""

# A killed process loses nothing by these; only a power cut would.
_THROWAWAY = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """What the local platform is to be.

    Args:
        postgres: Which server; see `harness.local.choice`.
        image: The image of a server in a container.
        scale: Size of the sample prod; 1 is about 20 MB.
        prod_dump: A dump in pg_dump's custom format to fill prod from, instead of the sample.
        prod_globals: An SQL script with the roles that the dump names.
        keep: Leave everything running at the end, as `local up` does.
        durable: Let a server of ours wait for the disk. Off where all of it is thrown away anyway.
        cluster: Whether there is a Kubernetes API with an ERP for either side, too.
        shadow: Whether golden copies are kept with a shadow.
        lease_seconds: For how long a run that is silent keeps others out of the cluster.
        speed: How much faster than in life the controllers of the cluster run.
    """

    postgres: str = "auto"
    image: str = "postgres:18"
    scale: float = 1.0
    prod_dump: Path | None = None
    prod_globals: Path | None = None
    keep: bool = False
    durable: bool = True
    cluster: bool = True
    shadow: bool = True
    lease_seconds: int = 60
    speed: float = 10.0


@dataclass(frozen=True, slots=True)
class LocalPlatform:
    """A platform that is up.

    Args:
        settings: The target's settings, as a live target's would be written.
        description: The server, for the header of a run.
        prod_origin: Where prod's content comes from.
        run: The run that it belongs to, with its directory.
        superuser: A superuser's login, for tests that break things on purpose.
        cluster: Its cluster, or None where none was wanted.
    """

    settings: Settings
    description: str
    prod_origin: str
    run: LocalRun
    superuser: Login = field(repr=False)
    cluster: LocalCluster | None


@contextmanager
def local_platform(options: LocalOptions, progress: Progress) -> Iterator[LocalPlatform]:
    """Start it, lay it out, fill prod; remove everything at the end, unless it is to be kept.

    Raises:
        ConfigurationError: An option is wrong; nothing was laid out.
        RefusedError: The user's server is not ours to lay out.
    """
    deadlines = Deadlines()
    content = prod_content.choose(options.scale, options.prod_dump, options.prod_globals)
    with (
        local_run(keep=options.keep) as run,
        local_server(
            options.postgres,
            options.image,
            run,
            deadlines,
            progress,
            settings={} if options.durable else _THROWAWAY,
        ) as server,
    ):
        content.check(server, run, deadlines, progress)
        with layout.place(server, run):
            content.prepare(server, run)
            logins = layout.lay_out(server, run)
            content.fill(server, logins, run, progress)
            with _cluster(options, run, logins, deadlines, progress) as cluster:
                table = cluster.settings if cluster else None
                values = {
                    **described(server, logins, run, table, shadow=options.shadow),
                    # Runs are killed here to see what they leave; nobody is to tidy up behind them.
                    "in_cluster": {"watchdog": False},
                }
                platform = LocalPlatform(
                    settings=Settings.of(values, origin="the local platform"),
                    description=server.description,
                    prod_origin=str(content),
                    run=run,
                    superuser=server.superuser,
                    cluster=cluster,
                )
                if cluster is not None:
                    cluster.install(platform.settings)
                if options.keep:
                    _keep(platform, values, server)
                yield platform


def _cluster(
    options: LocalOptions, run: LocalRun, logins: Layout, deadlines: Deadlines, progress: Progress
) -> AbstractContextManager[LocalCluster | None]:
    if not options.cluster:
        return nullcontext()
    return local_cluster(
        run,
        logins.prod_application,
        logins.sandbox_application,
        deadlines,
        progress,
        lease_seconds=options.lease_seconds,
        speed=options.speed,
    )


def _keep(platform: LocalPlatform, values: dict[str, Any], server: LocalServer) -> None:
    cluster = platform.cluster
    platform.run.keep(
        {
            "settings": values,
            "description": platform.description,
            "prod_origin": platform.prod_origin,
            "superuser": server.superuser.conninfo,
            "is_ours": server.is_ours,
            "cluster": cluster.description if cluster else None,
            "kubeconfig": str(cluster.control.kubeconfig) if cluster else None,
        }
    )
    with server.connect() as connection:
        marks.keep(connection, platform.run.id)


def described(
    server: LocalServer,
    logins: Layout,
    run: LocalRun,
    cluster: dict[str, Any] | None,
    *,
    shadow: bool = True,
) -> dict[str, Any]:
    """The settings of a target that has been laid out, as a live target's would be written.

    Args:
        server: Its server.
        logins: The logins on it.
        run: The run that it belongs to; golden copies and transient dumps go into its directory.
        cluster: The table about its cluster, or None where there is none.
        shadow: Whether golden copies are kept with a shadow.
    """
    with server.connect() as connection:
        pins = connection.execute(_PINS, (SANDBOX_DATABASE,)).fetchone()
    system_identifier, database_oid = pins or (None, None)
    return {
        "prod": {"dsn": logins.prod.conninfo, "owner_role": OWNERS[PROD_DATABASE]},
        "sandbox": {
            "dsn": logins.sandbox.conninfo,
            "application_dsn": logins.sandbox_application.conninfo,
            "owner_role": OWNERS[SANDBOX_DATABASE],
            "system_identifier": system_identifier,
            "database_oid": database_oid,
        },
        "golden": {"directory": str(run.subdirectory("golden")), "shadow": shadow},
        "tools": {
            "companion_directory": str(server.client_tools) if server.client_tools else None,
            "work_directory": str(run.subdirectory("work")),
        },
        "checks": {"approved": str(_APPROVED)},
        **({"cluster": cluster} if cluster else {}),
    }
