"""`conclave parked …`: tasks that took workers down, and messages of queues that no worker can take in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from domain.errors import CannotRepeat
from domain.parked import Parked
from domain.ports.parking import Parking
from domain.steps.release import parked_of, release_parked
from workers.cli.cli_error import BadInput, CliError
from workers.cli.commands import Commands
from workers.cli.environment import open_ports, open_work, read_settings
from workers.cli.output import AS_JSON, console, print_json, say
from workers.printer import PlainText

commands = Commands()

ID = Annotated[str, typer.Argument(metavar="ID", help="As `conclave parked list` prints it.")]


@commands.command("list")
def list_(as_json: AS_JSON = False) -> None:
    """Print what is parked, oldest first, with the reason of each."""
    with open_ports(read_settings()) as ports:
        found = ports.parking.all()
    if as_json:
        print_json([parked.model_dump(mode="json") for parked in found])
        return
    if not found:
        console().print("nothing is parked")
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("id", "at", "queue", "what", "reason"):
        table.add_column(title, overflow="fold")
    for parked in found:
        table.add_row(parked.parked_id, _at(parked), parked.queue, _what(parked), parked.reason)
    console().print(table)


@commands.command()
def show(parked_id: ID, as_json: AS_JSON = False) -> None:
    """Print one of them whole: reason, origin, and a message as it lay in its queue."""
    with open_ports(read_settings()) as ports:
        parked = _found(parked_id, ports.parking)
    if as_json:
        print_json(parked.model_dump(mode="json"))
        return
    facts = {"id": parked.parked_id, "at": _at(parked), "queue": parked.queue, "what": _what(parked)}
    for title, value in (facts | {"reason": parked.reason}).items():
        console().print(PlainText.assemble((f"{title}: ", "dim"), value))
    if parked.message:
        console().print(bytes.fromhex(parked.message).decode("utf-8", "backslashreplace"))


@commands.command()
def release(parked_id: ID) -> None:
    """Put a message back into its queue as it was; deliberate anew where a task was parked.

    For when the cause is gone: a message that no worker can take in is parked again.
    """
    with open_ports(read_settings()) as ports:
        parked = _found(parked_id, ports.parking)
        if parked.message:
            ports.parking.requeue(parked_id)
            say(f"{parked_id} is back in queue {parked.queue}")
            return
    say(*_released(parked_id))


@commands.command()
def drop(
    parked_id: Annotated[str | None, typer.Argument(metavar="ID", help="This one alone.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that is parked.")] = False,
) -> None:
    """Delete for good what is parked: one, or all of it."""
    if everything == (parked_id is not None):
        raise BadInput("name one that is parked, or drop all with --all")
    with open_ports(read_settings()) as ports:
        named = [parked.parked_id for parked in ports.parking.all()] if parked_id is None else [parked_id]
        dropped = sum(ports.parking.drop(one) for one in named)
    if parked_id is not None and not dropped:
        raise _not_parked(parked_id)
    say(f"{dropped} dropped")


def _released(parked_id: str) -> tuple[str, ...]:
    with open_work(read_settings()) as (ports, app):
        try:
            return release_parked(
                parked_id,
                parking=ports.parking,
                plans=ports.plans,
                deliberations=ports.deliberations,
                councils=ports.councils,
                engines=ports.engines,
                outbox=ports.outbox,
                publisher=ports.publisher,
                dispatcher=ports.dispatcher(app),
                clock=ports.clock,
                policy=ports.settings.effective_policy,
                redeliberation=ports.settings.redeliberation,
            )
        except (CannotRepeat, LookupError) as error:
            raise CliError(str(error.args[0])) from error


def _found(parked_id: str, parking: Parking) -> Parked:
    try:
        return parked_of(parked_id, parking)
    except LookupError as error:
        raise _not_parked(parked_id) from error


def _not_parked(parked_id: str) -> BadInput:
    return BadInput(f"nothing is parked as {parked_id}; `conclave parked list` names what is")


def _what(parked: Parked) -> str:
    return f"{parked.task} of {parked.subject}" if parked.task else f"message, {len(parked.message) // 2} bytes"


def _at(parked: Parked) -> str:
    return datetime.fromtimestamp(parked.at, UTC).isoformat(timespec="seconds").removesuffix("+00:00")
