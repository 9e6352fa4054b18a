"""Publish what has been saved; what can't be published now stays in the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import PublishFailed, PublishRefused
from domain.event import Event
from domain.ports.clock import Clock
from domain.ports.event_publisher import EventPublisher
from domain.ports.outbox import Outbox

LEAST_WAIT_S, LONGEST_WAIT_S = 10.0, 300.0
"""Between two tries at an event that a broker takes and does not confirm."""


def announce(events: Sequence[Event], *, outbox: Outbox, publisher: EventPublisher) -> bool:
    """Publish events that are in the outbox and take them out; False leaves them there for the flush."""
    if not tell(events, publisher=publisher):
        return False
    outbox.published([event.event_id for event in events])
    return True


def tell(events: Sequence[Event], *, publisher: EventPublisher) -> bool:
    """Publish events that are in the outbox; where that succeeds the caller has to take them out."""
    try:
        publisher.publish(events)
    except PublishFailed:
        return False
    return True


def flush_outbox(*, outbox: Outbox, publisher: EventPublisher, clock: Clock, limit: int = 500) -> int:
    """Publish what is left over and due, oldest first; return how many went out.

    One event that is refused or not confirmed doesn't hold up the others. Raises PublishFailed if some can't be
    published, PublishRefused for an event that stays behind, after the others went out.
    """
    events = list(outbox.due(limit))
    refusal: PublishRefused | None = None
    while events:
        try:
            publisher.publish(events)
        except PublishRefused as refused:
            refusal = refused
            events = [event for event in events if event.event_id != refused.event_id]
            continue
        except PublishFailed as failed:
            outbox.published(failed.confirmed)
            outbox.postpone(_later(events, failed.unconfirmed, now=clock.now()))
            raise
        outbox.published([event.event_id for event in events])
        break
    if refusal is not None:
        raise refusal
    return len(events)


def _later(events: Sequence[Event], unconfirmed: Sequence[str], *, now: float) -> dict[str, float]:
    """Return when to try again: each event waits for as long as it has waited already, within bounds."""
    ages = {event.event_id: now - event.occurred_at for event in events if event.event_id in unconfirmed}
    return {event_id: now + min(max(age, LEAST_WAIT_S), LONGEST_WAIT_S) for event_id, age in ages.items()}
