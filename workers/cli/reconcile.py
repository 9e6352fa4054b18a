"""`conclave reconcile`: compare the streams with the store, and give back what the store lost."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.errors import HistoryUnreadable
from domain.steps.reconcile import reconcile as compare
from workers.cli.cli_error import CliError
from workers.cli.environment import open_work, read_settings
from workers.cli.output import AS_JSON, print_json, say

DAY_S = 86_400.0


def reconcile(
    days: Annotated[
        float | None,
        typer.Option(
            min=0.0, help="How far to look back; as far as the store keeps things, which is also the most."
        ),
    ] = None,
    as_json: AS_JSON = False,
) -> None:
    """Take in approvals that the store has lost, and let deliberations end as the events told.

    Control workers do this by themselves when the store was restarted, rolled back or emptied. It is harmless
    where nothing is missing.
    """
    settings = read_settings()
    with open_work(settings) as (ports, app):
        # What is older was kept long enough: taken in again it would be asked and counted twice.
        kept_s = settings.retention_s
        since = ports.clock.now() - (kept_s if days is None else min(days * DAY_S, kept_s))
        gap = ports.continuity.gap()
        try:
            done = compare(
                since,
                history=ports.history,
                plans=ports.plans,
                deliberations=ports.deliberations,
                verdicts=ports.verdicts,
                dispatcher=ports.dispatcher(app),
                meter=ports.meter,
                policy=settings.effective_policy,
            )
        except HistoryUnreadable as error:
            raise CliError(str(error)) from error
        if gap is not None and since <= gap.since:
            ports.continuity.close(gap)
    if as_json:
        print_json(done.model_dump(mode="json"))
        return
    for what, ids in done.model_dump(exclude_defaults=True).items():
        for identity in ids:
            say(f"{what.replace('_', ' ')}: {identity}")
    say(done.sentence)
