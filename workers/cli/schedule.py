"""`conclave schedule …`: what is deliberated again by the clock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.table import Table

from domain.errors import CannotRepeat, CannotSchedule, InvalidCron
from domain.ports.schedule import Schedule
from domain.schedule import ScheduledRedeliberation, default_name
from domain.steps.scheduled import run_scheduled, schedule_redeliberation
from workers.cli.cli_error import BadInput, CliError
from workers.cli.commands import Commands
from workers.cli.environment import open_work, read_settings
from workers.cli.output import AS_JSON, console, print_json, say

if TYPE_CHECKING:
    from celery import Celery

    from workers.composition import Composition

commands = Commands()

NAME = Annotated[str, typer.Argument(help="The schedule's name, as `conclave schedule list` prints it.")]


@commands.command()
def add(
    plan: Annotated[str, typer.Option(metavar="ID", help="A plan's id, or a question's request id.")],
    role: Annotated[str, typer.Option(help="The role that deliberates again.")],
    cron: Annotated[str, typer.Option(help="Minute, hour, day of month, month, day of week; in UTC.")],
    name: Annotated[str | None, typer.Option(help="Default: made of plan and role.")] = None,
) -> None:
    """Deliberate on a plan again whenever the clock says so; replaces the schedule of the same name.

    A running beat follows within seconds. Prints the name and the next run.

    Example:

        conclave schedule add --plan plan-7 --role DEV --cron "0 6 * * *"
    """
    with _schedule() as (schedule, ports, _):
        try:
            scheduled = ScheduledRedeliberation(
                name=name or default_name(plan, role), plan_id=plan, role=role, cron=cron
            )
            schedule_redeliberation(
                scheduled,
                schedule=schedule,
                plans=ports.plans,
                deliberations=ports.deliberations,
                councils=ports.councils,
            )
        except ValidationError as error:
            field = error.errors(include_url=False)[0]["loc"][0]
            raise BadInput(_unfit(str(field))) from error
        except (CannotSchedule, InvalidCron) as error:
            raise BadInput(str(error)) from error
    say(f"{scheduled.name}  next {_next(scheduled)}")


@commands.command("list")
def list_(as_json: AS_JSON = False) -> None:
    """Print every schedule with its next run."""
    with _schedule() as (schedule, _, _):
        found = schedule.all()
    if as_json:
        print_json([_plain(scheduled) for scheduled in found])
        return
    if not found:
        console().print("no schedules: add one with `conclave schedule add`")
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("name", "plan", "role", "cron (UTC)", "next"):
        table.add_column(title, overflow="fold")
    for scheduled in found:
        table.add_row(scheduled.name, scheduled.plan_id, scheduled.role, scheduled.cron, _next(scheduled))
    console().print(table)


@commands.command()
def rm(name: NAME) -> None:
    """Remove a schedule; what it has started goes on."""
    with _schedule() as (schedule, _, _):
        found = schedule.all()
        if not schedule.remove(name):
            raise _unknown(name, found)
    say(f"{name} removed")


@commands.command()
def run_now(name: NAME) -> None:
    """Do at once what a schedule does at its time, and print the new deliberation's id."""
    with _schedule() as (schedule, ports, app):
        by_name = {scheduled.name: scheduled for scheduled in schedule.all()}
        if name not in by_name:
            raise _unknown(name, tuple(by_name.values()))
        try:
            following = run_scheduled(
                by_name[name].plan_id,
                by_name[name].role,
                due_at=inf,  # whatever was opened before now belongs to another run
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
            say(following)
        except (CannotRepeat, LookupError) as error:
            raise CliError(str(error.args[0])) from error


@contextlib.contextmanager
def _schedule() -> Iterator[tuple[Schedule, Composition, Celery]]:
    from workers.adapters.redis.schedule import RedBeatSchedule

    with open_work(read_settings()) as (ports, app):
        yield RedBeatSchedule(app), ports, app


def _plain(scheduled: ScheduledRedeliberation) -> dict[str, Any]:
    return scheduled.model_dump(mode="json") | {"next_run_at": _next(scheduled)}


def _next(scheduled: ScheduledRedeliberation) -> str:
    from workers.adapters.cron import next_run

    return next_run(scheduled.cron).isoformat(timespec="seconds")


def _unfit(field: str) -> str:
    if field == "name":
        return "--name takes up to 100 letters, digits, dots, dashes and underscores"
    return f"--{field.removesuffix('_id')} can't be used: it is empty or too long"


def _unknown(name: str, found: tuple[ScheduledRedeliberation, ...]) -> BadInput:
    there_are = ", ".join(scheduled.name for scheduled in found) or "none"
    return BadInput(f"no schedule {name}: add it with `conclave schedule add` (there are: {there_are})")
