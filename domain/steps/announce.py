"""Publish what has been saved; what can't be published now stays in the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from domain.event import Event
from domain.ports.event_publisher import PublishFailed
from domain.services import Services


def announce(events: Sequence[Event], services: Services) -> bool:
    """Publish events that are in the outbox and take them out; False leaves them there for the flush."""
    try:
        services.publisher.publish(events)
    except PublishFailed:
        return False
    services.outbox.published([event.event_id for event in events])
    return True


def flush_outbox(services: Services, *, limit: int = 500) -> int:
    """Publish what is left over, oldest first; return how many went out. Raises PublishFailed if none can."""
    events = services.outbox.pending(limit)
    if events:
        services.publisher.publish(events)
        services.outbox.published([event.event_id for event in events])
    return len(events)
