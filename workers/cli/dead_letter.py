"""`conclave dead-letter …`: messages that could not be taken in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from workers.cli.cli_error import BadInput, CliError
from workers.cli.environment import read_settings
from workers.cli.output import AS_JSON, console, print_json

if TYPE_CHECKING:
    from workers.cli.dead_letter_session import DeadLetterSession

commands = typer.Typer(no_args_is_help=True)

SEQUENCE = Annotated[
    int, typer.Argument(min=1, metavar="NUMBER", help="As `conclave dead-letter list` prints it.")
]
PAGE = 100


@commands.command("list")
def list_(
    after: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Only those behind this one.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, oldest first.")] = PAGE,
    as_json: AS_JSON = False,
) -> None:
    """Print the dead letters, oldest first, with the reason of each."""
    with _letters() as letters:
        found = letters.page(after, limit)
    if as_json:
        print_json([letter.as_dict() for letter in found])
        return
    if not found:
        console().print("no dead letters")
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("number", "at", "subject", "deliveries", "reason"):
        table.add_column(title, overflow="fold")
    for one in found:
        table.add_row(str(one.sequence), one.at[:19], Text(one.subject), str(one.delivered), Text(one.reason))
    console().print(table)


@commands.command()
def show(number: SEQUENCE, as_json: AS_JSON = False) -> None:
    """Print one dead letter whole: why, where from, headers and body."""
    with _letters() as letters:
        letter = letters.show(number)
    plain = letter.as_dict()
    if as_json:
        print_json(plain)
        return
    out = console()
    for title, value in plain.items():
        if title not in ("headers", "data"):
            out.print(Text.assemble((f"{title.replace('_', ' ')}: ", "dim"), str(value)))
    for name, value in letter.headers.items():
        out.print(Text.assemble((f"{name}: ", "dim"), value))
    if letter.data is None:
        out.print(Text("the original is no longer in its stream", "red"))
    else:
        out.print(Text(letter.data.decode("utf-8", "backslashreplace")))


@commands.command()
def replay(number: SEQUENCE) -> None:
    """Send the original again, as it was, and remove the dead letter; a second attempt sends nothing twice."""
    with _letters() as letters:
        sent = letters.replay(number)
    print(f"{number} sent again on {sent.subject}: {sent.stream}:{sent.sequence}")


@commands.command()
def purge(
    number: Annotated[int | None, typer.Argument(min=1, metavar="NUMBER", help="This one alone.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
) -> None:
    """Throw dead letters away for good: one, or all of them."""
    if everything == (number is not None):
        raise BadInput("name one dead letter, or throw all away with --all")
    with _letters() as letters:
        print(f"{letters.purge(number)} thrown away")


@contextlib.contextmanager
def _letters() -> Iterator[DeadLetterSession]:
    from bridge.dead_letters import NoSuchDeadLetter, NotReplayable
    from workers.cli.dead_letter_session import DeadLetterSession

    try:
        with DeadLetterSession.to(read_settings()) as letters:
            yield letters
    except NoSuchDeadLetter as error:
        raise BadInput(str(error.args[0])) from error
    except NotReplayable as error:
        raise CliError(str(error)) from error
