"""Preflight: everything that can be known to be wrong, before anything is changed."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from harness.dolibarr.gate import TABLE_PREFIX, company_name, strangers
from harness.errors import ConfigurationError, RefusedError
from harness.postgres.connection import connect, one, read_only_transaction
from harness.postgres.identity import prove_prod
from harness.postgres.surroundings import look_around

if TYPE_CHECKING:
    from pathlib import Path

    from harness.lifecycle.operation import Operation
    from harness.postgres.connection import Connection
    from harness.postgres.surroundings import Surroundings

_NAMED_STRANGERS = 5
_TABLES = """
SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'public' AND tablename LIKE %s
"""


def check_prod(op: Operation) -> str:
    """Refuse a prod that cannot be what it is said to be, or that would not fit.

    Args:
        op: The run.

    Returns:
        The name of prod's company.

    Raises:
        ConfigurationError: Prod cannot be reached, is no Dolibarr, or its dump has no place here.
        RefusedError: The login is more than a reader needs, or an extension is missing.
    """
    with (
        connect(op.prod, op.run, "preflight", op.deadlines) as session,
        read_only_transaction(session),
    ):
        prove_prod(session, op.prod, op.identity)
        company = _believable(session, op)
        prod = look_around(session, op.settings.checks.provisioner_functions)
    _refuse_unfit_folder(op.work_root, prod.size)
    _refuse_missing_extensions(op, prod)
    return company


def check_sandbox(op: Operation) -> None:
    """Refuse a sandbox in which a wipe would take what no restore brings back, or leave a rest.

    Raises:
        RefusedError: What would be lost, or left, is named.
    """
    found = _sandbox_surroundings(op)
    reachable = set(op.identity.reachable)
    lost = []
    if found.owner_of_public in reachable:
        lost.append(f"schema public belongs to {found.owner_of_public}")
    elif found.owner_of_public is None:
        lost.append("there is no schema public")
    lost += [
        f"{kind} {name} belongs to {owner}"
        for kind, owners in (
            ("extension", found.extensions),
            ("function", found.provisioner_functions),
        )
        for name, owner in owners.items()
        if owner in reachable
    ]
    if lost:
        raise RefusedError(
            f"a wipe of {op.sandbox.login.database} would take what no restore brings back",
            found="; ".join(lost),
            expected="schema public of pg_database_owner, extensions and provisioner's functions of"
            " the provisioner",
            remedy="let the provisioner own them (ALTER SCHEMA public OWNER TO pg_database_owner);"
            " nothing has been changed",
        )
    _refuse_strangers(op)
    _refuse_full_lock_table(found)


def _refuse_unfit_folder(folder: Path, size: int) -> None:
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise ConfigurationError(
            f"prod's transient dump cannot be written to {folder}",
            found=f"a folder that user {os.getuid()} may not write to"
            if folder.is_dir()
            else "no folder",
            expected="one that this user may write to, on a disk with room for prod's database",
            remedy="create it, or set tools.work_directory to another; nothing has been changed",
        )
    free = shutil.disk_usage(folder).free
    if free < size:
        raise ConfigurationError(
            f"there is no room for prod's transient dump in {folder}",
            found=f"{free / 1e6:,.0f} MB free",
            expected=f"{size / 1e6:,.0f} MB, the size of prod's database",
            remedy="set tools.work_directory to a larger disk; nothing has been changed",
        )


def _believable(session: Connection, op: Operation) -> str:
    tables: int = one(session, _TABLES, TABLE_PREFIX.replace("_", r"\_") + "%")[0]
    company = company_name(session) if tables else None
    least = op.settings.checks.minimum_tables
    if tables < least or company is None:
        raise ConfigurationError(
            f"{op.prod.login} does not hold a Dolibarr that could be copied",
            found=f"{tables} {TABLE_PREFIX}* tables,"
            f" {'no company name' if company is None else f'company {company}'}",
            expected=f"at least {least} tables, and MAIN_INFO_SOCIETE_NOM in llx_const",
            remedy="correct prod.dsn, or checks.minimum_tables; nothing has been changed",
        )
    return company


def _sandbox_surroundings(op: Operation) -> Surroundings:
    with connect(op.sandbox, op.run, "preflight", op.deadlines, read_only=True) as session:
        return look_around(session, op.settings.checks.provisioner_functions)


def _refuse_missing_extensions(op: Operation, prod: Surroundings) -> None:
    missing = sorted(prod.extensions.keys() - _sandbox_surroundings(op).extensions.keys())
    if missing:
        raise RefusedError(
            "prod uses extensions that the sandbox does not have",
            found=f"missing: {', '.join(missing)}",
            expected="the same extensions in both databases; a dump of schema public has none",
            remedy="let the provisioner run, in the sandbox: "
            + "; ".join(f'CREATE EXTENSION "{name}"' for name in missing),
        )


def _refuse_strangers(op: Operation) -> None:
    owner, functions = op.sandbox.owner_role, op.settings.checks.provisioner_functions
    with connect(op.sandbox, op.run, "preflight", op.deadlines, read_only=True) as session:
        found = strangers(session, owner, functions)
    if found:
        raise RefusedError(
            f"a wipe of {op.sandbox.login.database} would leave behind what is not the sandbox's",
            found=", ".join(found[:_NAMED_STRANGERS]),
            expected=f"everything in schema public owned by {owner}",
            remedy=f"let the provisioner drop it or give it back (ALTER ... OWNER TO {owner});"
            " nothing has been changed",
        )


def _refuse_full_lock_table(found: Surroundings) -> None:
    quarter = found.lock_table // 4
    if found.locks_in_use + quarter > found.lock_table:
        raise RefusedError(
            "the server's shared lock table has no room for a wipe",
            found=f"{found.locks_in_use} of at least {found.lock_table} entries are taken",
            expected=f"{quarter} free: prod's sessions fail when the table is full",
            remedy="wait for a quiet moment, or raise max_locks_per_transaction",
        )
