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

from workers.cli.approve import approval, validated
from workers.cli.cli_error import BadInput, CliError
from workers.cli.council import read_text
from workers.cli.follow import PrintingScreen, screen
from workers.cli.output import AS_JSON, complain, console, print_json
from workers.cli.view.decision import beginning, drawing
from workers.councils.read import default_councils
from workers.errors import StackError
from workers.own_packages import refuse_foreign_in
from workers.printer import PlainText, Printer

if TYPE_CHECKING:
    from workers.cli.demo_run import DemoResult
    from workers.cli.nats_session import ReceivedEvent


def demo(
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="A plan in place of the shipped one, as for approve."),
    ] = None,
    role: Annotated[
        str, typer.Option(help="Whose council deliberates: DEV, QA, ARCHITECT, DEVOPS or DATA.")
    ] = "DEV",
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="DIR", help="Keep data and logs there; default: a temporary one."),
    ] = None,
    as_json: AS_JSON = False,
) -> None:
    """Start everything on free loopback ports, have one plan deliberated, show the decision, stop everything.

    NATS, Valkey, a small language model and Conclave's own processes run for less than a minute; Ctrl-C stops
    them all at any moment. With --json, standard output is the completed event as NATS delivered it.

    Examples:

        conclave demo

        conclave demo --role QA --plan plan.json

        conclave demo --json | jq .decisions[0]
    """
    refuse_foreign_in(Path.cwd())
    source = str(plan) if plan else "the shipped plan"
    payload = _payload(plan, source, role)
    request = validated(payload, source=source, max_bytes=1 << 20)
    out = console(stderr=True) if as_json else console()
    from workers.cli.demo_run import demonstrate

    quiet = as_json and not out.is_terminal
    with _folder(state) as folder:
        outcome = demonstrate(
            request,
            payload,
            state=folder,
            keep=state is not None,
            on=PrintingScreen(lambda before, seen: None) if quiet else screen(out),
            report=_silent if quiet else lambda name, event: out.print(PlainText(f"{name} {event}", "dim")),
        )
        if as_json:
            print_json(outcome.event.body)
        else:
            _print(outcome, out)
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
def _folder(state: Path | None) -> Iterator[Path]:
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
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _silent(name: str, event: str) -> None:
    return None


def _print(outcome: DemoResult, out: Printer) -> None:
    closed = outcome.record.closed
    if closed is not None and closed.decision is not None:
        for part in drawing(closed.decision):
            out.print(part)
    out.print(published(outcome.event))


def _check(outcome: DemoResult) -> None:
    closed = outcome.record.closed
    if closed is None or closed.status != "decided":
        reason = closed.reason if closed else "it did not end"
        raise CliError(f"the council came to no decision: {reason}")


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
