"""What a stage still has to do."""

from __future__ import annotations

import nats

from tasks.queue_names import CONTROL, model_queue_name
from tests.acceptance.chaos.stage import Stage
from tests.acceptance.reliability.lag import taken_in
from tests.support.observer import until
from tests.support.sections import sections


async def finish(stage: Stage, *, within: float) -> None:
    """Wait until all that was published has come to its end. Raises TimeoutError or AssertionError after that."""
    async with await nats.connect(stage.nats.url) as client:
        await taken_in(client, within=within)
    await until(lambda: not unfinished(stage), within=within, what=lambda: f"left: {unfinished(stage)}")


def unfinished(stage: Stage) -> dict[str, int]:
    """Return what is still to be done and how much of it; empty when all has come to its end.

    In the order in which work moves on, so that what moves while it is counted is counted.
    """
    broker = sections(stage.valkey.url)["broker"]
    with broker.client as client:
        figures = {
            "plans": stage.services.plans.count_undispatched(),
            "queued for control": int(client.llen(broker.key(CONTROL))),
            "queued for the model": int(client.llen(broker.key(model_queue_name(stage.fleet.model)))),
            "in hand": int(client.hlen(broker.key("unacked"))),
            "deliberations": stage.services.deliberations.count_open(),
            "events": stage.services.outbox.count(),
        }
    return {what: figure for what, figure in figures.items() if figure}
