"""Groups of commands: in their help a flag is its name alone, without a value that a user would look for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from workers.logins import running

F = TypeVar("F", bound=Callable[..., Any])


class _Flags:
    """Takes the `<bool>` from flags, that of --help included."""

    def get_params(self, ctx: Any) -> list[Any]:
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]  # of the command that this is mixed into
        for param in params:
            if getattr(param, "is_flag", False):
                param.metavar = ""
        return params


class Command(_Flags, TyperCommand):
    """One command."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command under its name, which a refusal tells."""
        running.set(ctx.command_path.partition(" ")[2])
        return super().invoke(ctx)


class Group(_Flags, TyperGroup):
    """Commands below one name."""


class Commands(typer.Typer):
    """What typer makes a group of."""

    def __init__(self, *, cls: type[Group] = Group, **options: Any) -> None:
        super().__init__(cls=cls, no_args_is_help=True, **options)

    def command(self, name: str | None = None, **options: Any) -> Callable[[F], F]:
        """Add a command, as typer does."""
        return super().command(name, cls=Command, **options)
