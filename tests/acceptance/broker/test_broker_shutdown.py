"""A worker that is asked to stop finishes what it runs and holds up nothing else."""

from __future__ import annotations

import uuid

from tests.acceptance.broker.conftest import MakeFleet
from tests.acceptance.broker.fleet import eventually


def test_stopping_worker_finishes_its_task_once_and_leaves_the_rest_to_others(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=2.0)
    stopping = fleet.start(concurrency=2)
    long, *others = (uuid.uuid4().hex for _ in range(7))
    fleet.client.signature("outlast", (others, 3.0), task_id=long).apply_async()
    fleet.begun(long)
    fleet.start(concurrency=2)
    stopping.terminate()
    # The stopping worker has waited longest for the next message, so it is the one to get it.
    for task in others:
        fleet.work(0.0, task_id=task)
    for task in others:
        fleet.ended(task)
    fleet.ended(long)
    eventually(lambda: not stopping.running, "worker stopped")
    assert stopping.exit_code == 0
    assert fleet.journal.count("begin", long) == 1
    assert max(fleet.journal.last("end", task).at for task in others) < fleet.journal.last("end", long).at
    assert set(fleet.journal.counts("begin").values()) == {1}
    assert fleet.unacked() == 0


def test_task_finished_by_a_stopping_worker_is_settled_before_the_others_end(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=2.0)
    stopping = fleet.start(concurrency=2)
    short, long = fleet.work(2.0), fleet.work(30.0)
    fleet.begun(short)
    fleet.begun(long)
    stopping.terminate()
    fleet.ended(short)
    eventually(lambda: fleet.unacked() == 1, "the short task acknowledged")
    stopping.kill9()
    fleet.start(concurrency=2)
    fleet.begun(long, times=2)
    assert fleet.journal.count("begin", short) == 1
