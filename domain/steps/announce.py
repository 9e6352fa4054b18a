"""Publish what has been saved; what can't be published now stays in the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import PublishFailed, PublishRefused
from domain.event import Event
from domain.ports.event_publisher import EventPublisher
from domain.ports.outbox import Outbox


def announce(events: Sequence[Event], *, outbox: Outbox, publisher: EventPublisher) -> bool:
    """Publish events that are in the outbox and take them out; False leaves them there for the flush."""
    try:
        publisher.publish(events)
    except PublishFailed:
        return False
    outbox.published([event.event_id for event in events])
    return True


def flush_outbox(*, outbox: Outbox, publisher: EventPublisher, limit: int = 500) -> int:
    """Publish what is left over, oldest first; return how many went out.

    One event that is refused doesn't hold up the others. Raises PublishFailed if none can be published,
    PublishRefused for an event that stays behind, after the others went out.
    """
    events = list(outbox.pending(limit))
    refusal: PublishRefused | None = None
    while events:
        try:
            publisher.publish(events)
        except PublishRefused as refused:
            refusal = refused
            events = [event for event in events if event.event_id != refused.event_id]
            continue
        outbox.published([event.event_id for event in events])
        break
    if refusal is not None:
        raise refusal
    return len(events)
