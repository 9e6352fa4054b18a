"""End a deliberation because an operator says so."""

from __future__ import annotations

from domain import events
from domain.entry import Closed
from domain.ports.clock import Clock
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.event_publisher import EventPublisher
from domain.ports.meter import Meter
from domain.ports.outbox import Outbox
from domain.statistics import tally_of
from domain.steps.announce import announce


def cancel_deliberation(
    deliberation_id: str,
    reason: str,
    *,
    deliberations: DeliberationStore,
    outbox: Outbox,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
    meter: Meter,
    clock: Clock,
) -> bool:
    """Close it as cancelled, publish that and take its work off the queue; False if it had ended.

    What runs stops before its next model call, since nothing can be written any more. Raises LookupError for an
    unknown id.
    """
    record = deliberations.load(deliberation_id)
    if record.closed is not None:
        return False
    deliberation, at = record.deliberation, max(clock.now(), record.progress_at)
    body = events.cancelled_body(deliberation, at=at, reason=reason)
    event = events.event_of(deliberation, body)
    closed = Closed(status="cancelled", at=at, event_id=event.event_id, reason=reason, result=body)
    counters = tally_of(record, closed)
    if deliberations.record(deliberation_id, closed, events=[event], counters=counters) != closed:
        return False
    meter.ended(record, closed)
    dispatcher.withdraw(deliberation)
    announce([event], outbox=outbox, publisher=publisher)
    return True
