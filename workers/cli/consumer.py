"""`conclave consumer …`: durables on the events, through which other programs read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import ValidationError
from rich.table import Table

from domain.event_types import COMPLETED
from workers.cli.cli_error import BadInput, CliError
from workers.cli.commands import Commands
from workers.cli.environment import read_settings
from workers.cli.output import AS_JSON, console, print_json, say

if TYPE_CHECKING:
    from workers.cli.consumer_session import ConsumerSession

commands = Commands()

NAME = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, - and _.")]

REMEDIES = {
    "name": "its name takes letters, digits, - and _",
    "subjects": "its subjects must be one of orchestration.…",
    "max_deliver": "its deliveries must be 1 or more, or -1 for no bound",
}
"""Field of a NewConsumer → what a value must be that was refused."""


@commands.command()
def create(
    name: NAME,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SUBJECT",
            help="Events that it delivers, wildcards allowed; may be repeated. Default: decisions.",
        ),
    ] = None,
    deliver: Annotated[
        Literal["all", "new"], typer.Option(help="Begin with the oldest event that is kept, or with the next.")
    ] = "all",
    ack_wait: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=31_536_000,
            metavar="SECONDS",
            help="From a delivery to the next of an event that is not acknowledged.",
        ),
    ] = 30.0,
    max_deliver: Annotated[
        int, typer.Option(min=-1, metavar="N", help="Deliveries of one event at most; -1: no bound.")
    ] = -1,
) -> None:
    """Make a durable pull consumer on the events, for a program that reads them; the same again changes nothing.

    The shipped logins `client` and `observer` read from a durable of their own name.

    Examples:

        conclave consumer create client

        conclave consumer create audit --subject "orchestration.deliberation.*" --deliver new
    """
    from bridge.consumers import NewConsumer

    try:
        new = NewConsumer(
            name=name,
            subjects=tuple(subject or (COMPLETED,)),
            deliver=deliver,
            ack_wait_s=ack_wait,
            max_deliver=max_deliver,
        )
    except ValidationError as error:
        remedy = REMEDIES[str(error.errors()[0]["loc"][0])]
        raise BadInput(f"consumer {name} can't be made: {remedy}") from None
    with _session() as session:
        made = session.create(new)
    say(f"{made.name} reads {', '.join(made.subjects)}: {made.pending} to come")


@commands.command("list")
def list_(as_json: AS_JSON = False) -> None:
    """Print the consumers on the events: what each reads, what is to come, and what was not acknowledged."""
    with _session() as session:
        found = session.list()
    if as_json:
        print_json([consumer.model_dump(mode="json") for consumer in found])
        return
    if not found:
        console().print("no consumers: make one with `conclave consumer create NAME`")
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("name", "reads", "to come", "unacknowledged", "ack wait", "deliveries"):
        table.add_column(title, overflow="fold")
    for consumer in found:
        bound = "no bound" if consumer.max_deliver < 0 else str(consumer.max_deliver)
        reads, wait = ", ".join(consumer.subjects), f"{consumer.ack_wait_s:g} s"
        table.add_row(consumer.name, reads, str(consumer.pending), str(consumer.unacknowledged), wait, bound)
    console().print(table)


@commands.command()
def delete(name: NAME) -> None:
    """Delete a consumer, and with it how far its program has read."""
    from bridge.consumers import is_durable_name

    if not is_durable_name(name):
        raise BadInput(f"{name} can't be a consumer's name, which takes letters, digits, - and _")
    with _session() as session:
        if not session.delete(name):
            raise BadInput(f"there is no consumer {name} on the events; `conclave consumer list` names them")
    say(f"{name} deleted")


@contextlib.contextmanager
def _session() -> Iterator[ConsumerSession]:
    from bridge.consumers import ConsumerRefused
    from workers.cli.consumer_session import ConsumerSession

    try:
        with ConsumerSession.to(read_settings()) as session:
            yield session
    except ConsumerRefused as refused:
        raise CliError(str(refused)) from refused
