"""What waits in the store: for a person, for a worker, or for NATS."""

from __future__ import annotations

from domain.finding import Findings, ok, warn
from domain.ports.clock import Clock
from domain.ports.outbox import Outbox
from domain.ports.parking import Parking
from domain.ports.plan_store import PlanStore

MANY_PLANS = 100
"""Bridges hand over up to 64 at once, and a control worker dispatches them within seconds."""
OLD_S = 30.0
"""An event that could not be published is tried again every few seconds."""


def examine_parked(parking: Parking) -> Findings:
    """Count what is parked."""
    count = parking.count()
    if not count:
        yield ok("parked", "no task and no message lies aside")
        return
    remedy = "`conclave parked list` says why, `release ID` or `drop ID` ends it"
    yield warn("parked", f"{count} tasks or messages lie aside; {remedy}")


def examine_plans(plans: PlanStore) -> Findings:
    """Count accepted plans that no worker has dispatched."""
    count = plans.count_undispatched()
    if count <= MANY_PLANS:
        yield ok("accepted plans", f"{count} wait to be dispatched")
        return
    yield warn("accepted plans", f"{count} wait to be dispatched; start control workers, and look at their log")


def examine_outbox(outbox: Outbox, clock: Clock) -> Findings:
    """Count events that are saved and not published, and tell how long the oldest has waited."""
    count, oldest = outbox.count(), outbox.pending(1)
    if not oldest:
        yield ok("outbox", "every event is published")
        return
    age_s = max(0.0, clock.now() - oldest[0].occurred_at)
    text = f"{count} events wait to be published, the oldest for {age_s:.0f} s"
    if age_s <= OLD_S:
        yield ok("outbox", text)
        return
    yield warn("outbox", f"{text}; a control worker's log says why, if NATS is up and beat and a worker run")
