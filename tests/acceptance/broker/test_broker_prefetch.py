"""A worker takes what it can run and leaves the rest to others, also after its broker was away."""

from __future__ import annotations

import time

from tests.acceptance.broker.conftest import MakeFleet
from tests.acceptance.broker.fleet import Fleet, eventually


def test_worker_holds_no_more_than_it_runs_even_after_a_broker_restart(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=4.0)
    fleet.start(concurrency=2)
    # Longer than the restart takes on a slow machine: what ends while the broker is away is acknowledged late.
    first = [fleet.work(8.0) for _ in range(2)]
    for task in first:
        fleet.begun(task)
    rest = [fleet.work(0.5) for _ in range(12)]
    assert _most_held(fleet, during_s=1.0) == 2
    fleet.broker.restart()
    assert _most_held(fleet, during_s=1.0) == 2
    fleet.start(concurrency=2)
    # On a slow machine the first worker has run all by now.
    rest += [fleet.work(0.5) for _ in range(12)]
    for task in (*first, *rest):
        fleet.ended(task)
    eventually(fleet.is_idle, "everything acknowledged")
    assert set(fleet.journal.counts("begin").values()) == {1}
    assert len({entry.pid for entry in fleet.journal.entries("begin")}) == 2


def _most_held(fleet: Fleet, *, during_s: float) -> int:
    until, most = time.monotonic() + during_s, 0
    while time.monotonic() < until:
        most = max(most, fleet.unacked())
        time.sleep(0.02)
    return most
