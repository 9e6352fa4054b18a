"""`conclave schedule …`: what is deliberated again by the clock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.table import Table

from domain.errors import CannotRepeat, CannotSchedule, InvalidCron
from domain.ports.schedule import Schedule
from domain.schedule import ScheduledRedeliberation, default_name
from domain.services import Services
from domain.steps.redeliberate import redeliberate_plan
from domain.steps.scheduled import schedule_redeliberation
from workers.cli.cli_error import BadInput, CliError
from workers.cli.environment import open_services, read_settings
from workers.cli.output import AS_JSON, console, print_json

commands = typer.Typer(no_args_is_help=True)

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
    with _schedule() as (schedule, of):
        try:
            wanted = ScheduledRedeliberation(
                name=name or default_name(plan, role), plan_id=plan, role=role, cron=cron
            )
            schedule_redeliberation(wanted, schedule, of)
        except ValidationError as error:
            field = error.errors(include_url=False)[0]["loc"][0]
            raise BadInput(_unfit(str(field))) from error
        except (CannotSchedule, InvalidCron) as error:
            raise BadInput(str(error)) from error
    print(f"{wanted.name}  next {_next(wanted)}")


@commands.command("list")
def list_(as_json: AS_JSON = False) -> None:
    """Print every schedule with its next run."""
    with _schedule() as (schedule, _):
        standing = schedule.all()
    if as_json:
        print_json([_plain(one) for one in standing])
        return
    if not standing:
        console().print("no schedules: add one with `conclave schedule add`")
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("name", "plan", "role", "cron (UTC)", "next"):
        table.add_column(title, overflow="fold")
    for one in standing:
        table.add_row(one.name, one.plan_id, one.role, one.cron, _next(one))
    console().print(table)


@commands.command()
def rm(name: NAME) -> None:
    """Remove a schedule; what it has started goes on."""
    with _schedule() as (schedule, _):
        known = schedule.all()
        if not schedule.remove(name):
            raise _unknown(name, known)
    print(f"{name} removed")


@commands.command()
def run_now(name: NAME) -> None:
    """Do at once what a schedule does at its time, and print the new deliberation's id."""
    with _schedule() as (schedule, of):
        known = {one.name: one for one in schedule.all()}
        if name not in known:
            raise _unknown(name, tuple(known.values()))
        try:
            print(redeliberate_plan(known[name].plan_id, known[name].role, of))
        except (CannotRepeat, LookupError) as error:
            raise CliError(str(error.args[0])) from error


@contextlib.contextmanager
def _schedule() -> Iterator[tuple[Schedule, Services]]:
    from workers.adapters.redis.schedule import RedBeatSchedule
    from workers.app import make_app

    settings = read_settings()
    with open_services(settings) as of:
        yield RedBeatSchedule(make_app(settings)), of


def _plain(one: ScheduledRedeliberation) -> dict[str, Any]:
    return one.model_dump(mode="json") | {"next_run_at": _next(one)}


def _next(one: ScheduledRedeliberation) -> str:
    from workers.adapters.cron import next_run

    return next_run(one.cron).isoformat(timespec="seconds")


def _unfit(field: str) -> str:
    if field == "name":
        return "--name takes up to 100 letters, digits, dots, dashes and underscores"
    return f"--{field.removesuffix('_id')} can't be used: it is empty or too long"


def _unknown(name: str, known: tuple[ScheduledRedeliberation, ...]) -> BadInput:
    there_are = ", ".join(one.name for one in known) or "none"
    return BadInput(f"no schedule {name}: add it with `conclave schedule add` (there are: {there_are})")
