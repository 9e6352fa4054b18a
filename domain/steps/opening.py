"""Open deliberations and queue their work: consumers hear that one started before they hear what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from domain import events
from domain.deliberation import Deliberation
from domain.entry import Opened
from domain.event import Event
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.event_publisher import EventPublisher
from domain.steps.announce import tell


def start(
    wanted: Sequence[Deliberation],
    *,
    deliberations: DeliberationStore,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
) -> tuple[tuple[Deliberation, ...], list[Event]]:
    """Open the deliberations, tell of those that were new, then queue their work.

    Return them as they stand, and the events that were told, which the caller takes out of the outbox: the work is
    not to wait for that, and the caller may have others to take out.

    One that was opened before stands as it was then, whatever it is wanted to be now, and is not queued: what an
    earlier run opened and died before queueing is the sweep's to find, since queueing it again here would double
    the model calls of every approval that is delivered twice. A refused one is opened, and is the caller's to end.
    """
    standing: list[Deliberation] = []
    started: list[Event] = []
    for deliberation in wanted:
        begun = [] if deliberation.refusal else [events.started(deliberation)]
        entry = deliberations.record(deliberation.deliberation_id, Opened(deliberation=deliberation), events=begun)
        assert isinstance(entry, Opened)
        standing.append(entry.deliberation)
        if entry.deliberation == deliberation:  # another run's has its own opening time
            started += begun
    told = tell(started, publisher=publisher)
    new = {event.subject_id for event in started}
    for deliberation in standing:
        if deliberation.deliberation_id in new:
            dispatcher.deliberation(deliberation, [agent.agent_id for agent in deliberation.agents])
    return tuple(standing), started if told else []
