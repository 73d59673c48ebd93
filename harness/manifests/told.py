"""The settings file of the pods: this target's, without logins and without this machine's paths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.settings import Settings

_NOT_TOLD = {"in_cluster"}
_OF_THE_WAY_IN = {"kubeconfig", "context", "job_context", "in_cluster"}


def told_to_pods(settings: Settings, *, kubeconfig: Path | None = None) -> str:
    """The settings as TOML, where they are not what they would be anyway.

    Whatever is a secret is left out, and so is every path: a pod has its own, and gets both as
    variables.

    Args:
        settings: The target.
        kubeconfig: The way into the cluster of pods that get no token of their account.
    """
    way_in = {"kubeconfig": str(kubeconfig)} if kubeconfig else {"in_cluster": True}
    values: dict[str, Any] = dict(_changed(settings))
    tables = {
        name: table
        for name, table in values.items()
        if isinstance(table, dict) and name not in _NOT_TOLD
    }
    if settings.cluster is not None:
        of_cluster = tables["cluster"]
        own = {name: each for name, each in of_cluster.items() if name not in _OF_THE_WAY_IN}
        tables["cluster"] = {**way_in, **own}
    single = {name: value for name, value in values.items() if not isinstance(value, dict)}
    return "\n\n".join(filter(None, [_lines(single), *(_table(*each) for each in tables.items())]))


def _changed(table: BaseModel) -> Iterator[tuple[str, Any]]:
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if isinstance(value, BaseModel):
            if inner := dict(_changed(value)):
                yield name, inner
        elif not isinstance(value, SecretStr | Path | None) and value != field.default:
            yield name, value


def _table(name: str, values: dict[str, Any]) -> str:
    return f"[{name}]\n{_lines(values)}"


def _lines(values: dict[str, Any]) -> str:
    # Strings, numbers, truths and lists of them read the same in JSON.
    lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
    return "\n".join(lines)
