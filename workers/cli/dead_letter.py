"""`conclave dead-letter …`: messages that were rejected, or never processed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from domain.errors import NoSuchDeadLetter, NotReplayable
from workers.cli.cli_error import BadInput, CliError
from workers.cli.commands import Commands
from workers.cli.environment import read_settings
from workers.cli.output import AS_JSON, console, print_json, say
from workers.printer import PlainText

if TYPE_CHECKING:
    from workers.cli.dead_letter_session import DeadLetterSession

commands = Commands()

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
    with _session() as session:
        found = session.page(after, limit)
    if as_json:
        print_json([dead_letter.as_dict() for dead_letter in found])
        return
    if not found:
        console().print("no dead letters")
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("number", "at", "subject", "deliveries", "reason"):
        table.add_column(title, overflow="fold")
    for dead_letter in found:
        number, deliveries = str(dead_letter.sequence), str(dead_letter.delivered)
        table.add_row(number, dead_letter.at[:19], dead_letter.subject, deliveries, dead_letter.reason)
    console().print(table)


@commands.command()
def show(number: SEQUENCE, as_json: AS_JSON = False) -> None:
    """Print one dead letter whole: reason, origin, headers and body."""
    with _session() as session:
        dead_letter = session.show(number)
    plain = dead_letter.as_dict()
    if as_json:
        print_json(plain)
        return
    out = console()
    for title, value in plain.items():
        if title not in ("headers", "data"):
            out.print(PlainText.assemble((f"{title.replace('_', ' ')}: ", "dim"), str(value)))
    for name, value in dead_letter.headers.items():
        out.print(PlainText.assemble((f"{name}: ", "dim"), value))
    if dead_letter.text is None:
        out.print(PlainText("the original is no longer in its stream", "red"))
    else:
        out.print(dead_letter.text)


@commands.command()
def replay(number: SEQUENCE) -> None:
    """Publish the original again, as it was, and remove the dead letter; a second attempt stores nothing twice."""
    with _session() as session:
        replayed = session.replay(number)
    done = "had been sent again already" if replayed.before else "sent again"
    say(f"{number} {done} on {replayed.subject}: {replayed.stream}:{replayed.sequence}")


@commands.command()
def purge(
    number: Annotated[int | None, typer.Argument(min=1, metavar="NUMBER", help="This one alone.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
) -> None:
    """Delete dead letters for good: one, or all of them."""
    if everything == (number is not None):
        raise BadInput("name one dead letter, or throw all away with --all")
    with _session() as session:
        say(f"{session.purge(number)} thrown away")


@contextlib.contextmanager
def _session() -> Iterator[DeadLetterSession]:
    from workers.cli.dead_letter_session import DeadLetterSession

    try:
        with DeadLetterSession.to(read_settings()) as session:
            yield session
    except NoSuchDeadLetter as error:
        raise BadInput(str(error.args[0])) from error
    except NotReplayable as error:
        raise CliError(str(error)) from error
