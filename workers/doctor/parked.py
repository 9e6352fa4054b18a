"""What lies aside and waits for a person."""

from __future__ import annotations

from domain.ports.parking import Parking
from workers.doctor.finding import Findings, ok, warn


def examine_parked(parking: Parking) -> Findings:
    """Count what is parked."""
    count = parking.count()
    if not count:
        yield ok("parked", "no task and no message lies aside")
        return
    remedy = "`conclave parked list` says why, `release ID` or `drop ID` ends it"
    yield warn("parked", f"{count} tasks or messages lie aside; {remedy}")
