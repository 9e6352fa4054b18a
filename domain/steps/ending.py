"""The one door through which a deliberation ends: decided, failed or cancelled, whichever comes first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from domain import events
from domain.contract import CancelledBody, CompletedBody, FailedBody
from domain.entry import Closed
from domain.event import Event
from domain.event_types import CANCELLED, COMPLETED, FAILED
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.meter import Meter
from domain.record import Record
from domain.statistics import tally_of

STATUS: Mapping[str, Literal["decided", "failed", "cancelled"]] = {
    COMPLETED: "decided",
    FAILED: "failed",
    CANCELLED: "cancelled",
}
"""Type of the event that tells an end → what the record says."""


def end_deliberation(
    record: Record,
    body: CompletedBody | FailedBody | CancelledBody,
    *,
    deliberations: DeliberationStore,
    meter: Meter,
    token: int = 0,
    told: bool = False,
) -> Event | None:
    """Save the end with its event and its counts, and return the event, which the caller has to announce.

    `told`: the world has heard of this end, and only the store had lost it; there is no event then.

    None where the deliberation has an end already: nothing is changed then. All ends of one deliberation are told
    under one event id, so that where a store has lost an end that was told, JetStream refuses another one.
    Raises ConclusionTakenOver and StoreUnreconciled as `DeliberationStore.record` does.
    """
    if record.closed is not None:
        return None
    event = events.ending(record.deliberation, body)
    closed = Closed(
        status=STATUS[body.event_type],
        at=body.timestamp,
        event_id=event.event_id,
        reason="" if isinstance(body, CompletedBody) else body.reason,
        result=body,
    )
    standing = deliberations.record(
        record.deliberation.deliberation_id,
        closed,
        events=[] if told else [event],
        counters=tally_of(record, closed),
        token=token,
    )
    if told or standing != closed:
        return None
    meter.ended(record, closed)
    return event
