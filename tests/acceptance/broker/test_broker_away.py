"""A broker that dies and comes back finds its workers alive and their work done once."""

from __future__ import annotations

import time

from tests.acceptance.broker.conftest import MakeFleet
from tests.acceptance.broker.fleet import eventually


def test_workers_survive_a_killed_broker_and_every_task_runs_once(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=4.0)
    workers = [fleet.start(concurrency=4, await_it=False) for _ in range(2)]
    fleet.await_ready(*workers)
    header, callback = fleet.chord([1.0, 3.0, 5.0])
    long = fleet.work(8.0)
    for task in (*header, long):
        fleet.begun(task)
    fleet.broker.kill9()
    fleet.ended(header[0])
    fleet.broker.start()
    back = time.time()
    for task in (*header, callback, long):
        fleet.ended(task)
    eventually(lambda: fleet.unacked() == 0, "everything acknowledged", 10.0)
    assert all(worker.running for worker in workers)
    assert set(fleet.journal.counts("begin").values()) == {1}
    assert fleet.journal.last("end", callback).note == str(header)
    print(f"callback ran {fleet.journal.first('begin', callback).at - back:.1f} s after the broker was back")


def test_tasks_of_living_workers_are_not_given_away_after_an_outage_longer_than_the_timeout(
    fleet_of: MakeFleet,
) -> None:
    fleet = fleet_of(visibility_s=3.0)
    workers = [fleet.start(concurrency=2, await_it=False) for _ in range(2)]
    fleet.await_ready(*workers)
    tasks = [fleet.work(12.0) for _ in range(4)]
    for task in tasks:
        fleet.begun(task)
    fleet.broker.kill9()
    time.sleep(5.0)
    fleet.broker.start()
    for task in tasks:
        fleet.ended(task)
    eventually(lambda: fleet.unacked() == 0, "everything acknowledged", 10.0)
    assert set(fleet.journal.counts("begin").values()) == {1}


def test_acknowledgement_due_while_the_broker_is_away_is_delivered_when_it_is_back(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=2.0)
    worker = fleet.start()
    task = fleet.work(2.0)
    fleet.begun(task)
    fleet.broker.kill9()
    fleet.ended(task)
    fleet.broker.start()
    eventually(lambda: fleet.unacked() == 0 and fleet.waiting() == 0, "acknowledged", 10.0)
    proof = fleet.work(0.0)
    fleet.ended(proof)
    assert fleet.journal.count("begin", task) == 1
    assert worker.running


def test_broker_that_hangs_with_open_connections_is_left_and_found_again(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=4.0)
    worker = fleet.start()
    task = fleet.work(4.0)
    fleet.begun(task)
    fleet.broker.freeze()
    fleet.ended(task)
    time.sleep(2.0)
    fleet.broker.thaw()
    proof = fleet.work(0.0)
    fleet.ended(proof)
    eventually(lambda: fleet.unacked() == 0, "everything acknowledged", 10.0)
    assert fleet.journal.count("begin", task) == 1
    assert worker.running
