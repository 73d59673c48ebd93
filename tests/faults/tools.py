"""A pg_restore that works, and then does something more."""

from __future__ import annotations

import shlex

from harness.postgres.binaries import wheel_binaries


def and_then(statements: str) -> str:
    """The fault of running statements after the restore, as the login that it was given."""
    psql = shlex.quote(str(wheel_binaries().bin / "psql"))
    return f"""
"$real" "$@"
for argument in "$@"; do
    shift
    case "$argument" in
        --host=* | --port=* | --username=* | --dbname=*) set -- "$@" "$argument" ;;
    esac
done
exec {psql} --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@" --command={shlex.quote(statements)}
"""
