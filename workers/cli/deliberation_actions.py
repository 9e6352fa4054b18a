"""`conclave deliberation cancel|redeliberate|replay`: acting on deliberations by name."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.decision import replay as replayed
from domain.errors import CannotRepeat, StoreUnreconciled
from domain.redeliberation import RepeatChoice
from domain.steps.cancel import cancel_deliberation
from domain.steps.redeliberate import redeliberate as open_again
from workers.cli.cli_error import CliError
from workers.cli.deliberation import ID, loaded
from workers.cli.environment import open_ports, open_work, read_settings
from workers.cli.output import AS_JSON, print_json, say


def cancel(
    deliberation_id: ID,
    reason: Annotated[str, typer.Option(help="Why; goes into the cancelled event.")] = "cancelled by an operator",
) -> None:
    """End an open deliberation without a decision; its event says so, and its model calls stop."""
    with open_work(read_settings()) as (ports, _):
        record = loaded(deliberation_id, ports.deliberations)
        try:
            cancelled = cancel_deliberation(
                deliberation_id,
                reason,
                deliberations=ports.deliberations,
                outbox=ports.outbox,
                publisher=ports.publisher,
                meter=ports.meter,
                clock=ports.clock,
                prices=ports.settings.price_list,
            )
        except StoreUnreconciled as error:
            raise CliError(str(error)) from error
        if not cancelled:
            raise CliError(f"{deliberation_id} has ended already: it is {record.state}")
    say(f"{deliberation_id} cancelled")


def redeliberate(
    deliberation_id: ID,
    council: Annotated[
        str, typer.Option(metavar="ROLE", help="Let this role's council deliberate for the role.")
    ] = "",
    model: Annotated[str, typer.Option(help="Have all agents run on this model.")] = "",
) -> None:
    """Deliberate the same plan once more with today's council, and print the new id.

    The new decision supersedes the old one, and its event says so.
    """
    with open_work(read_settings()) as (ports, app):
        loaded(deliberation_id, ports.deliberations)
        try:
            following = open_again(
                deliberation_id,
                deliberations=ports.deliberations,
                councils=ports.councils,
                engines=ports.engines,
                outbox=ports.outbox,
                publisher=ports.publisher,
                dispatcher=ports.dispatcher(app),
                clock=ports.clock,
                policy=ports.settings.effective_policy,
                redeliberation=ports.settings.redeliberation,
                choice=RepeatChoice(council=council, model=model),
            )
            say(following)
        except CannotRepeat as error:
            raise CliError(str(error)) from error


def replay(deliberation_id: ID, as_json: AS_JSON = False) -> None:
    """Compute the ranking again from the stored ballots and say whether it is identical; exit code 1 if not."""
    with open_ports(read_settings()) as ports:
        record = loaded(deliberation_id, ports.deliberations)
    try:
        stored, computed = replayed(record)
    except LookupError as error:
        raise CliError(str(error)) from error
    identical = stored == computed
    if as_json:
        replayed_json = computed.model_dump(mode="json")
        print_json({"deliberation_id": deliberation_id, "identical": identical, "replayed": replayed_json})
    elif identical:
        say(f"{deliberation_id}: identical, winner {stored.winner}")
    if not identical:
        # A store that lost something takes the end from its event, and keeps what it has of the way there.
        cause = "another version decided it, or the store has lost a part of what it was decided from"
        raise CliError(f"{deliberation_id} does not replay to its stored ranking: {cause}")
