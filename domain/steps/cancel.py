"""End a deliberation because an operator says so."""

from __future__ import annotations

from domain import events
from domain.ports.clock import Clock
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.event_publisher import EventPublisher
from domain.ports.meter import Meter
from domain.ports.outbox import Outbox
from domain.prices import PriceList
from domain.steps.announce import announce
from domain.steps.ending import end_deliberation
from domain.total_usage import total_usage


def cancel_deliberation(
    deliberation_id: str,
    reason: str,
    *,
    deliberations: DeliberationStore,
    outbox: Outbox,
    publisher: EventPublisher,
    meter: Meter,
    clock: Clock,
    prices: PriceList,
) -> bool:
    """Close it as cancelled and publish that; False if it had ended.

    What runs stops before its next model call, since nothing can be written any more, and what is queued ends as
    soon as it begins. Raises LookupError for an unknown id.
    """
    record = deliberations.load(deliberation_id)
    deliberation, at = record.deliberation, max(clock.now(), record.progress_at)
    body = events.cancelled_body(deliberation, at=at, reason=reason, usage=total_usage(record, prices))
    event = end_deliberation(record, body, deliberations=deliberations, meter=meter)
    if event is None:
        return False
    announce([event], outbox=outbox, publisher=publisher)
    return True
