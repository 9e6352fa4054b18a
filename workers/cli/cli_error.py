"""How a command says no: one sentence on standard error and an exit code, never a traceback."""

from __future__ import annotations

from typing import Any

from typer import Exit

from workers.cli.commands import Group
from workers.cli.output import complain
from workers.errors import StackError, Unavailable


class CliError(Exception):
    """What was asked could not be done; the message is one sentence that names the thing and the remedy."""

    exit_code = 1


class BadInput(CliError):
    """What was given can't be used: the command line, a file, a setting."""

    exit_code = 2


class ConclaveCommands(Group):
    """The root of the command tree, where every expected error ends."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a Complaint is printed and becomes its exit code: 1 failed, 2 bad input."""
        try:
            return super().invoke(ctx)
        except CliError as complaint:
            code, sentence = complaint.exit_code, str(complaint)
        except (StackError, Unavailable) as error:
            code, sentence = 1, str(error)
        complain(sentence)
        raise Exit(code)
