"""A message is kept from others for as long as its task lives, and not longer."""

from __future__ import annotations

import time

from tests.acceptance.broker.conftest import MakeFleet
from tests.acceptance.broker.fleet import crash, eventually


def test_task_longer_than_the_visibility_timeout_runs_once_in_either_pool(fleet_of: MakeFleet) -> None:
    fleets = {pool: fleet_of(visibility_s=2.0) for pool in ("threads", "prefork")}
    for pool, fleet in fleets.items():
        fleet.await_ready(*[fleet.start(pool=pool, await_it=False) for _ in range(2)])
    tasks = {pool: (fleet.work(7.0), fleet.work(0.0, countdown=6)) for pool, fleet in fleets.items()}
    for pool, fleet in fleets.items():
        for task in tasks[pool]:
            fleet.ended(task)
        eventually(fleet.is_idle, "everything acknowledged")
        assert fleet.journal.counts("begin") == dict.fromkeys(tasks[pool], 1), pool


def test_task_that_ends_without_an_outcome_returns_to_its_queue_and_is_no_lost_worker(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=4.0, outage_s=0.5, apart=True)
    worker = fleet.start(concurrency=3)
    header, callback = fleet.chord([1.0, 1.0, 1.0])
    for task in header:
        fleet.begun(task)
    crash(fleet.results)
    for task in header:
        fleet.begun(task, times=2)
    fleet.results.start()
    fleet.ended(callback)
    time.sleep(1.0)
    assert worker.running
    assert fleet.journal.count("begin", callback) == 1
    assert {run.note for task in header for run in fleet.journal.entries("begin", task)} == {"1"}
