"""`conclave deliberation …`: what has been deliberated, and what is being."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from math import inf
from typing import Annotated

import typer
from rich.table import Table

from domain import event_types
from domain.contract import CompletedBody, FailedBody
from domain.errors import NewerRecord
from domain.ports.deliberation_store import DeliberationStore
from domain.record import Record
from domain.verdict import Verdict
from domain.views.minutes import minutes
from domain.views.progress import view
from domain.views.remarks import failure_line
from domain.views.summary import DeliberationSummary, details, summary
from domain.views.why import label
from workers.cli.cli_error import BadInput, CliError
from workers.cli.commands import Commands
from workers.cli.environment import open_ports, read_settings
from workers.cli.follow import Screen, follow, json_screen, screen
from workers.cli.output import AS_JSON, complain, console, print_json, print_text
from workers.cli.view.costs import costs
from workers.cli.view.decision import drawing
from workers.cli.view.live import STATES, live
from workers.printer import PlainText, Printer
from workers.settings import Settings

commands = Commands()

ID = Annotated[str, typer.Argument(metavar="ID", help="A deliberation's id: d- and 24 hexadecimal digits.")]
POLL_S = 0.2


@commands.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    plan: Annotated[str | None, typer.Option(metavar="PLAN_ID", help="Only those of this plan.")] = None,
    awaiting: Annotated[
        bool, typer.Option("--awaiting", help="Only those that await a verdict, the one due first at the top.")
    ] = False,
    as_json: AS_JSON = False,
) -> None:
    """Print the newest deliberations, open and closed."""
    if plan and awaiting:
        raise BadInput("--plan and --awaiting don't go together; leave one out")
    with open_ports(read_settings()) as ports:
        store = ports.deliberations
        ids = ports.verdicts.overdue(inf, limit) if awaiting else store.newest(limit)
        records = list(_records(store.of_plan(plan)[:limit] if plan else ids, store))
    if as_json:
        print_json([summary(record).model_dump(mode="json") for record in records])
        return
    if not records and awaiting:
        console().print("no decision awaits a verdict")
        return
    if not records:
        console().print("no deliberations: approve a plan with `conclave approve PLAN.json`")
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("opened", "id", "role", "plan", "state", "winner or reason"):
        table.add_column(title, overflow="fold", no_wrap=title == "id")
    for record in records:
        table.add_row(*_row(summary(record)))
    console().print(table)


@commands.command()
def show(
    deliberation_id: ID,
    full: Annotated[
        bool, typer.Option("--full", help="Print every proposal whole, not the winner alone.")
    ] = False,
    as_minutes: Annotated[
        bool, typer.Option("--minutes", help="Print all of it as one Markdown document.")
    ] = False,
    as_json: AS_JSON = False,
) -> None:
    """Print what was decided and why: ranking, score matrix, agreement, doubts, verdicts, checks, failures, cost.

    Example:

        conclave deliberation show ID --full
    """
    with open_ports(read_settings()) as ports:
        record = loaded(deliberation_id, ports.deliberations)
        verdicts = ports.verdicts.of(deliberation_id)
    if as_json:
        print_json(details(record, verdicts, ports.clock.now()).model_dump(mode="json"))
        return
    if as_minutes:
        print_text(minutes(record, verdicts))
        return
    out = console()
    out.print(live(view(record, ports.clock.now())))
    print_outcome(record, verdicts, out, full=full)


@commands.command()
def watch(
    deliberation_id: ID,
    wait: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="For it to be opened.")] = 10.0,
    as_json: AS_JSON = False,
) -> None:
    """Show a deliberation live until it ends: a bar per stage, a line per agent.

    May be started before it is opened, late, or after its end. With --json every change is one line. Exit code 1
    if it ends without a decision.
    """
    settings = read_settings()
    with open_ports(settings) as ports:
        opened_within(wait, deliberation_id, ports.deliberations)
        on = json_screen() if as_json else screen(console())
        record = followed(deliberation_id, ports.deliberations, settings, on)
    refuse_undecided([record])


def followed(deliberation_id: str, store: DeliberationStore, settings: Settings, on: Screen) -> Record:
    """Show an opened deliberation until it is closed, and return its last record."""
    with listening(settings, deliberation_id) as news:
        return follow(lambda: loaded(deliberation_id, store), on, news=news)


def print_outcome(record: Record, verdicts: Sequence[Verdict], out: Printer, *, full: bool = False) -> None:
    """Print what was decided and why, or who failed why, and what that took; nothing of one that is open."""
    result = record.closed.result if record.closed else None
    if isinstance(result, CompletedBody):
        for part in drawing(result, verdicts, full=full):
            out.print(part)
    elif isinstance(result, FailedBody):
        for failure in result.failures:
            out.print(PlainText(failure_line(failure), "red"))
    if result is not None and not isinstance(result, CompletedBody) and result.usage:
        out.print(costs(result.usage, {}))


def refuse_undecided(records: Sequence[Record]) -> None:
    """Raise CliError with every end that is no decision."""
    ends = [(record.deliberation.deliberation_id, record.closed) for record in records]
    sentences = [
        f"{identity} {closed.status}: {closed.reason or 'no reason given'}"
        for identity, closed in ends
        if closed is not None and closed.status != "decided"
    ]
    if sentences:
        raise CliError("\n".join(sentences))


def loaded(deliberation_id: str, store: DeliberationStore) -> Record:
    """Return the record. Raises BadInput if there is none."""
    try:
        return store.load(deliberation_id)
    except LookupError as error:
        raise BadInput(
            f"no deliberation {deliberation_id}: never opened, or past retention; see `conclave deliberation list`"
        ) from error


def opened_within(seconds: float, deliberation_id: str, store: DeliberationStore) -> None:
    """Wait until the deliberation is opened. Raises BadInput when it is not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(LookupError):
            store.load(deliberation_id)
            return
        time.sleep(POLL_S)
    loaded(deliberation_id, store)


@contextlib.contextmanager
def listening(settings: Settings, deliberation_id: str) -> Iterator[threading.Event]:
    """Give an event that is set whenever NATS tells of the deliberation; without NATS it stays unset."""
    from workers.cli.nats_session import NatsSession, ReceivedEvent

    news = threading.Event()

    def hear(heard: ReceivedEvent) -> None:
        if heard.body.get("deliberation_id") == deliberation_id:
            news.set()

    with contextlib.ExitStack() as stack:
        # The store alone is enough, only slower to notice; so NATS may be away.
        with contextlib.suppress(CliError):
            stack.enter_context(NatsSession.to(settings)).subscribe(
                f"{event_types.COMPLETED.rpartition('.')[0]}.>", hear
            )
        yield news


def _records(ids: tuple[str, ...], store: DeliberationStore) -> Iterator[Record]:
    """Load them; what another version wrote is named on standard error, and hides no other."""
    for deliberation_id in ids:
        # Its retention may end between the index and the store.
        with contextlib.suppress(LookupError):
            try:
                yield store.load(deliberation_id)
            except NewerRecord as error:
                complain(f"left out: {error}")


def _row(listed: DeliberationSummary) -> tuple[PlainText, ...]:
    opened = datetime.fromtimestamp(listed.opened_at).strftime("%Y-%m-%d %H:%M:%S")
    outcome = label(listed.proposal_id) if listed.proposal_id else listed.reason
    plain = (listed.deliberation_id, listed.role, listed.plan_id)
    state = PlainText(listed.state.value, STATES.get(listed.state, "cyan"))
    return (PlainText(opened, "dim"), *map(PlainText, plain), state, PlainText(outcome))
