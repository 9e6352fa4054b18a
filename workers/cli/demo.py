"""`conclave demo`: the whole pipeline once, on this machine, with nothing started beforehand."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from domain.chat import FailureReason
from domain.contract import CompletedBody, FailedBody
from domain.record import Record
from workers.cli.approve import approval, validated
from workers.cli.cli_error import BadInput, CliError
from workers.cli.council import read_text
from workers.cli.follow import screen
from workers.cli.output import AS_JSON, complain, console, print_json
from workers.cli.view.brief import brief
from workers.cli.view.decision import beginning, drawing
from workers.councils.read import default_councils
from workers.errors import StackError
from workers.own_packages import refuse_foreign_in
from workers.printer import PlainText, Printer
from workers.variables import variable

if TYPE_CHECKING:
    from workers.cli.demo_run import DemoResult
    from workers.cli.nats_session import ReceivedEvent


LATE = {FailureReason.TIMEOUT, FailureReason.DEADLINE}


def demo(
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="A plan in place of the shipped one, as for approve."),
    ] = None,
    role: Annotated[
        str, typer.Option(help="Whose council deliberates: DEV, QA, ARCHITECT, DEVOPS or DATA.")
    ] = "DEV",
    seed: Annotated[int, typer.Option(min=0, help="Have the agents write anew, from other sampling seeds.")] = 0,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="DIR", help="Keep data and logs there; default: a temporary one."),
    ] = None,
    event: Annotated[
        bool, typer.Option("--event", help="Print the event that NATS delivered, and the whole decision.")
    ] = False,
    as_json: AS_JSON = False,
) -> None:
    """Start everything on free loopback ports, have one plan deliberated, show the decision, stop everything.

    NATS, Valkey, a small language model and Conclave's own processes run for about a minute; Ctrl-C stops them all
    at any moment. With --json, standard output is the completed event as NATS delivered it, and progress goes to
    standard error.

    Examples:

        conclave demo

        conclave demo --role QA --plan plan.json

        conclave demo --seed 3

        conclave demo --json | jq .decisions[0]
    """
    refuse_foreign_in(Path.cwd())
    source = str(plan) if plan else "the shipped plan"
    payload = _payload(plan, source, role)
    request = validated(payload, source=source, max_bytes=1 << 20)
    out = console(stderr=True) if as_json else console()
    from workers.cli.demo_run import demonstrate

    with demo_folder(state) as folder:
        outcome = demonstrate(
            request,
            payload,
            seed=seed,
            state=folder,
            keep=state is not None,
            on=screen(out),
            report=lambda name, what: out.print(PlainText(f"{name} {what}", "dim")),
        )
        if as_json:
            print_json(outcome.event.body)
        else:
            print_outcome(outcome, out, event=event)
        _check(outcome)


def _payload(plan: Path | None, source: str, role: str) -> bytes:
    roles = [council.role for council in default_councils()]
    if role not in roles:
        raise BadInput(f"the shipped councils have no {role}: choose one of {', '.join(roles)}")
    return approval(read_text(plan) if plan else shipped_plan(), source=source, roles=[role], approved_by=None)


def shipped_plan() -> str:
    """Return the plan that ships with Conclave, as JSON."""
    text = resources.files("workers.cli").joinpath("demo_plan.yaml").read_text(encoding="utf-8")
    return json.dumps(yaml.safe_load(text))


@contextlib.contextmanager
def demo_folder(state: Path | None) -> Iterator[Path]:
    """Give the folder asked for, or a temporary one that is kept only if something in it explains a failure."""
    if state is not None:
        yield state
        return
    folder = Path(tempfile.mkdtemp(prefix="conclave-demo-"))
    try:
        yield folder
    except (CliError, StackError):
        complain(f"data and logs of this run are in {folder}")
        raise
    except BaseException:
        _remove(folder)
        raise
    _remove(folder)


def _remove(folder: Path) -> None:
    """Remove it whole, also when Ctrl-C comes meanwhile."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def print_outcome(outcome: DemoResult, out: Printer, *, event: bool) -> None:
    """Print the decision in brief; with `event` all of it, and the event as it came."""
    decision = outcome.record.closed.decision if outcome.record.closed else None
    if decision is not None:
        for part in drawing(decision) if event else brief(decision, out.width):
            out.print(part)
    if event:
        out.print(published(outcome.event))


def _check(outcome: DemoResult) -> None:
    """Raise CliError where there is no decision; where time was short, say by which setting there is more."""
    record = outcome.record
    slow = too_slow(record)
    if record.closed is None or record.closed.status != "decided":
        reason = record.closed.reason if record.closed else "it did not end"
        raise CliError("; ".join(filter(None, (f"the council came to no decision: {reason}", slow))))
    if slow:
        complain(slow)


def too_slow(record: Record) -> str:
    """Say that answers came too late, and what gives them more time; empty where none did."""
    closed = record.closed
    failures = closed.result.failures if closed and isinstance(closed.result, CompletedBody | FailedBody) else ()
    late = sum(failure.reason in LATE for failure in failures)
    if not late:
        return ""
    plan, given_s = record.deliberation.plan, record.deliberation.deadline_at - record.deliberation.opened_at
    where = variable("policy", "deadline_s") if plan.constraints.deadline_s is None else "deadline_s in the plan"
    return (
        f"this machine was too slow for {late} of the answers: set {where} to {2 * given_s:.0f} instead of "
        f"{given_s:.0f} seconds (and {variable('policy', 'call_timeout_s')}, for one answer, higher as well)"
    )


def published(event: ReceivedEvent) -> PlainText:
    """Draw an event as it came from NATS: headers whole, every field of its body in one line."""
    text = PlainText.assemble("\nPublished on ", (event.subject, "bold"), " and received from NATS:")
    for name, value in event.headers.items():
        text.append(f"\n  {name}: {value}", "dim")
    for name, value in event.body.items():
        text.append(f"\n  {name}: {_brief(value)}")
    return text


def _brief(value: Any) -> str:
    return beginning(json.dumps(value, ensure_ascii=False), limit=90)
