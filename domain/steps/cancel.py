"""End a deliberation on somebody's word."""

from __future__ import annotations

from domain import events
from domain.entry import Closed
from domain.services import Services
from domain.statistics import tally_of
from domain.steps.announce import announce


def cancel_deliberation(deliberation_id: str, reason: str, services: Services) -> bool:
    """Close it as cancelled, tell the world and take its work off the queue; False if it had ended.

    What runs stops before its next model call, since nothing can be written any more. Raises LookupError for an
    unknown id.
    """
    record = services.deliberations.load(deliberation_id)
    if record.closed is not None:
        return False
    deliberation, at = record.deliberation, services.clock.now()
    event = events.deliberation_event(events.CANCELLED, deliberation, at=at, body={"reason": reason})
    closed = Closed(status="cancelled", at=at, event_id=event.event_id, reason=reason, result=event.body)
    tally = tally_of(record, closed)
    standing = services.deliberations.record(deliberation_id, closed, events=[event], tally=tally)
    if standing != closed:
        return False
    services.meter.ended(record, closed)
    services.dispatcher.withdraw(deliberation)
    announce([event], services)
    return True
