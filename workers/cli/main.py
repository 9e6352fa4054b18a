"""The command tree."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from workers.cli import (
    approve,
    config,
    consumer,
    council,
    dead_letter,
    deliberation,
    deliberation_actions,
    demo,
    doctor,
    parked,
    prove,
    reconcile,
    schedule,
    schema,
    service_commands,
    stats,
    token,
    up_down,
    verdicts,
)
from workers.cli.cli_error import ConclaveCommands
from workers.cli.commands import Commands
from workers.cli.output import complain, say
from workers.logs import configure_command
from workers.settings import unknown_settings

SERVICES = ("bridge", "worker", "flower", "web", "mcp")
"""They become processes that say in their logs which variables set nothing."""

app = Commands(
    cls=ConclaveCommands,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"conclave {version('conclave-council')}")
        raise typer.Exit


@app.callback()
def conclave(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A council of AI agents proposes how to carry out an approved plan, reviews itself blind, and publishes a
    ranked decision: NATS JetStream in and out, Celery between, your own model engines underneath.

    See it once, on this machine alone:

        conclave demo

    Keep it running; from another terminal in the same folder, give it a plan:

        conclave up
        conclave approve plan.json --role DEV --watch

    Settings are CONCLAVE_ variables; `conclave config` prints them. Exit codes: 0 done, 1 failed, 2 wrong usage
    or input, 130 broken off.
    """
    configure_command()
    if context.invoked_subcommand not in SERVICES:
        for sentence in unknown_settings():
            complain(sentence)


app.command()(demo.demo)
app.command()(up_down.up)
app.command()(up_down.down)
app.command()(approve.approve)
deliberation.commands.command()(deliberation_actions.cancel)
deliberation.commands.command("redeliberate")(deliberation_actions.redeliberate)
deliberation.commands.command("again", hidden=True)(deliberation_actions.redeliberate)
deliberation.commands.command()(deliberation_actions.replay)
deliberation.commands.command()(verdicts.accept)
deliberation.commands.command()(verdicts.reject)
deliberation.commands.command()(verdicts.prefer)
app.add_typer(
    deliberation.commands,
    name="deliberation",
    help="List, explain, watch, cancel, repeat, replay and judge deliberations.",
)
app.add_typer(council.commands, name="council", help="Say who deliberates for a role.")
app.add_typer(schedule.commands, name="schedule", help="Deliberate again by the clock.")
app.command()(stats.stats)
app.command()(prove.prove)
app.add_typer(consumer.commands, name="consumer", help="Let other programs read events at their own pace.")
app.add_typer(dead_letter.commands, name="dead-letter", help="Look at messages that could not be taken in.")
app.add_typer(parked.commands, name="parked", help="Look at tasks and queued messages that lie aside.")
app.add_typer(token.commands, name="token", help="Let programs in at the page's interfaces.")
app.command()(reconcile.reconcile)
app.command()(config.config)
app.command()(schema.schema)
app.command()(doctor.doctor)
app.command()(service_commands.bridge)
app.command()(service_commands.worker)
app.command()(service_commands.beat)
app.command()(service_commands.flower)
app.command()(service_commands.web)
app.command()(service_commands.mcp)
app.command()(service_commands.password)
