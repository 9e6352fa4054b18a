"""A worker that is killed loses nothing; what it did is done again within seconds, but not for ever."""

from __future__ import annotations

import uuid

from tests.acceptance.broker.conftest import MakeFleet
from tests.acceptance.broker.fleet import eventually


def test_task_of_a_killed_worker_is_run_by_another_within_seconds(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=2.0)
    doomed = fleet.start(concurrency=1)
    task = fleet.work(30.0)
    fleet.begun(task)
    fleet.start(concurrency=1)
    doomed.kill9()
    fleet.begun(task, times=2)
    runs = fleet.journal.entries("begin", task)
    assert [run.note for run in runs] == ["1", "2"]
    print(f"begun again {runs[1].at - runs[0].at:.1f} s after the first begin")


def test_message_is_not_taken_along_by_a_worker_that_hangs_and_is_killed(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=2.0)
    hanging = fleet.start(concurrency=2)
    fleet.await_poll()
    hanging.freeze()
    task = fleet.work(0.0)
    hanging.kill9()
    fleet.start(concurrency=2)
    fleet.ended(task)
    assert fleet.journal.first("begin", task).note == "1"


def test_callback_of_a_killed_worker_is_run_again_and_its_header_is_not(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=2.0)
    workers = [fleet.start(concurrency=2, await_it=False) for _ in range(2)]
    fleet.await_ready(*workers)
    header, callback = fleet.chord([0.0, 0.0, 0.0], callback_s=2.0)
    fleet.begun(callback)
    victim = fleet.journal.first("begin", callback).pid
    next(worker for worker in workers if worker.pid == victim).kill9()
    fleet.ended(callback)
    assert [fleet.journal.count("begin", task) for task in header] == [1, 1, 1]
    assert fleet.journal.count("begin", callback) == 2
    assert fleet.journal.last("end", callback).note == str(header)


def test_task_that_kills_two_workers_is_parked_by_the_third(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=2.0)
    poison = uuid.uuid4().hex
    fleet.client.signature("poison", task_id=poison).apply_async()
    for _ in range(2):
        worker = fleet.start(concurrency=1, await_it=False)
        eventually(worker.has_ended, "a worker killed")
    last = fleet.start(concurrency=1)
    eventually(lambda: fleet.journal.count("parked", poison) == 1, "the task parked")
    assert last.running
    assert [run.note for run in fleet.journal.entries("begin", poison)] == ["1", "2"]
