"""`conclave config`: what is set, by whom, with secrets masked."""

from __future__ import annotations

import json
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import SecretStr
from rich.table import Table

from domain.value import Value
from workers.cli.cli_error import BadInput
from workers.cli.environment import environment_settings, from_stack, read_settings, without_login
from workers.cli.output import AS_JSON, console, print_json, say
from workers.printer import PlainText
from workers.settings import Settings
from workers.variables import leaves, variable

MASK = "********"
Source = Literal["environment", "running stack", "default"]


class Effective(Value):
    """One setting as it is in force."""

    variable: str
    value: Any
    source: Source


def effective_settings() -> list[Effective]:
    """Return every setting with its variable's name and where its value comes from."""
    stated = environment_settings()
    stack, effective = from_stack(stated), read_settings()
    return [
        Effective(
            variable=variable(*path), value=shown(_value(effective, path)), source=_source(path, stated, stack)
        )
        for path in leaves(Settings)
    ]


def _value(settings: Any, path: tuple[str, ...]) -> Any:
    return reduce(getattr, path, settings)


def _source(path: tuple[str, ...], stated: Settings, stack: dict[str, Any]) -> Source:
    *groups, name = path
    if name in reduce(lambda found, group: found.get(group, {}), groups, stack):
        return "running stack"
    # What was set is known to every group for itself.
    return "environment" if name in reduce(getattr, groups, stated).model_fields_set else "default"


def shown(value: Any) -> Any:
    """Return a setting's value fit for a screen and for JSON: no password in it."""
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return without_login(secret) if "://" in secret else MASK * bool(secret)
    if isinstance(value, str):
        return without_login(value) if "://" in value else value
    if isinstance(value, tuple):
        return [shown(one) for one in value]
    if isinstance(value, dict):
        return {key: shown(one) for key, one in value.items()}
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def revealed(name: str) -> str:
    """Return a setting's effective value as its variable would hold it, secrets included.

    Raises BadInput when no setting has that variable.
    """
    path = next((path for path in leaves(Settings) if variable(*path) == name), None)
    if path is None:
        raise BadInput(f"{name} is no setting: `conclave config` prints the names of all")
    value = _value(read_settings(), path)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, str | Path):
        return str(value)
    if path == ("nats", "url"):
        return ",".join(value)
    return json.dumps(value, default=_plain)


def _plain(part: Any) -> str:
    """Return what JSON has no form for: a secret within a table, a path."""
    return part.get_secret_value() if isinstance(part, SecretStr) else str(part)


def config(
    as_json: AS_JSON = False,
    reveal: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE", help="Print this one's value alone, as it is: with its password, if any."
        ),
    ] = None,
) -> None:
    """Print the effective settings, the variable that sets each, and where its value comes from.

    Values come from the environment, else from the stack that runs in the state folder (addresses and logins), or
    are defaults. Passwords and tokens are masked.

    Example:

        NATS_URL=$(conclave config --reveal CONCLAVE_NATS_URL) python client.py
    """
    if reveal is not None:
        say(revealed(reveal))
        return
    settings = effective_settings()
    if as_json:
        print_json([one.model_dump() for one in settings])
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("variable", "value", "from"):
        table.add_column(title, overflow="fold")
    for one in settings:
        value = "" if one.value in (None, "", [], {}) else str(one.value)
        table.add_row(one.variable, value, PlainText(one.source, "dim" if one.source == "default" else "cyan"))
    console().print(table)
