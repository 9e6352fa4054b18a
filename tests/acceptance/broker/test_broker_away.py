"""A broker that dies and comes back finds its workers alive and their work done once."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from tests.acceptance.broker.conftest import MakeFleet
from tests.acceptance.broker.fleet import Fleet, crash, eventually
from tests.support.servers import ValkeyServer
from tests.support.tcp_proxy import TcpProxy
from workers.processes.guard import Guard
from workers.processes.readiness import log_says
from workers.stack.servers import valkey_url


def test_workers_survive_a_killed_broker_and_every_task_runs_once(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=4.0)
    workers = [fleet.start(concurrency=4, await_it=False) for _ in range(2)]
    fleet.await_ready(*workers)
    header, callback = fleet.chord([1.0, 3.0, 5.0])
    long = fleet.work(8.0)
    for task in (*header, long):
        fleet.begun(task)
    crash(fleet.broker)
    fleet.ended(header[0])
    fleet.broker.start()
    back = time.time()
    for task in (*header, callback, long):
        fleet.ended(task)
    eventually(fleet.is_idle, "everything acknowledged")
    assert all(worker.running for worker in workers)
    assert set(fleet.journal.counts("begin").values()) == {1}
    assert fleet.journal.last("end", callback).note == str(header)
    print(f"callback ran {fleet.journal.first('begin', callback).at - back:.1f} s after the broker was back")


def test_tasks_of_a_worker_that_is_late_after_an_outage_are_not_given_to_one_that_is_early(
    fleet_of: MakeFleet,
) -> None:
    fleet = fleet_of(visibility_s=4.0)
    late = fleet.start(concurrency=2)
    tasks = [fleet.work(8.5) for _ in range(2)]
    for task in tasks:
        fleet.begun(task)
    early = fleet.start(concurrency=2)
    late.freeze()
    crash(fleet.broker)
    time.sleep(4.0)
    fleet.broker.start()
    proof = fleet.work(0.0)
    fleet.ended(proof)
    late.thaw()
    for task in tasks:
        fleet.ended(task)
    eventually(fleet.is_idle, "everything acknowledged")
    assert set(fleet.journal.counts("begin").values()) == {1}
    assert early.running
    assert late.running


def test_lost_connections_to_a_living_broker_give_no_running_task_away(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=2.0)
    workers = [fleet.start(concurrency=2, await_it=False) for _ in range(2)]
    fleet.await_ready(*workers)
    tasks = [fleet.work(4.0) for _ in range(3)]
    for task in tasks:
        fleet.begun(task)
    fleet.cut_connections()
    for task in tasks:
        fleet.ended(task)
    eventually(fleet.is_idle, "everything acknowledged")
    assert set(fleet.journal.counts("begin").values()) == {1}
    assert all(worker.running for worker in workers)


def test_worker_whose_connections_went_silent_is_at_work_again_within_seconds(
    tmp_path: Path, guard: Guard
) -> None:
    with ValkeyServer(tmp_path / "broker", guard=guard) as broker, TcpProxy(broker.port) as link:
        detour = {"BROKER_TEST_BROKER": f"{valkey_url(link.port)}/0"}
        with Fleet(folder=tmp_path, guard=guard, broker=broker, results=broker, env=detour) as fleet:
            worker = fleet.start()
            fleet.ended(fleet.work(0.0))
            fleet.await_poll()
            link.half_open()
            link.heal()
            # Nothing tells the worker that its connections lead nowhere. Stock kombu takes 26 seconds or more.
            fleet.ended(fleet.work(0.0), within=24.0)
            assert worker.running


def test_acknowledgement_due_while_the_broker_is_away_is_delivered_when_it_is_back(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=2.0)
    worker = fleet.start()
    task = fleet.work(2.0)
    fleet.begun(task)
    crash(fleet.broker)
    fleet.ended(task)
    fleet.broker.start()
    eventually(fleet.is_idle, "acknowledged")
    proof = fleet.work(0.0)
    fleet.ended(proof)
    assert fleet.journal.count("begin", task) == 1
    assert worker.running


def test_broker_that_hung_longer_than_the_timeout_gives_no_running_task_away(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=3.0)
    workers = [fleet.start(concurrency=1, await_it=False) for _ in range(2)]
    fleet.await_ready(*workers)
    task = fleet.work(8.0)
    fleet.begun(task)
    fleet.broker.freeze()
    time.sleep(4.5)
    fleet.broker.thaw()
    fleet.ended(task)
    eventually(fleet.is_idle, "everything acknowledged")
    assert fleet.journal.count("begin", task) == 1
    assert all(worker.running for worker in workers)


def test_task_sent_back_while_the_broker_does_not_answer_runs_again_and_its_chord_ends_once(
    fleet_of: MakeFleet,
) -> None:
    fleet = fleet_of(visibility_s=2.0, env={"BROKER_TEST_ANSWER": "0.5"})
    worker = fleet.start(concurrency=1)
    header, callback = fleet.chord_of_one_sent_back()
    fleet.begun(header)
    fleet.broker.freeze()
    fleet.journal.write("go back", header)
    eventually(partial(log_says("comes back later"), worker.log), "the message could not be sent back")
    fleet.broker.thaw()
    fleet.ended(callback)
    eventually(fleet.is_idle, "everything acknowledged")
    assert fleet.journal.count("end", header) == 1
    assert fleet.journal.count("begin", callback) == 1
