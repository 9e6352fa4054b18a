"""A worker that is killed loses nothing, and what it did is done again within seconds."""

from __future__ import annotations

from tests.acceptance.broker.conftest import MakeFleet


def test_task_of_a_killed_worker_is_run_by_another_within_seconds(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=2.0)
    doomed = fleet.start(concurrency=1)
    task = fleet.work(30.0)
    fleet.begun(task)
    fleet.start(concurrency=1)
    doomed.kill9()
    fleet.begun(task, times=2, within=10.0)
    runs = fleet.journal.entries("begin", task)
    assert [run.note for run in runs] == ["1", "2"]
    print(f"recovered {runs[1].at - runs[0].at:.1f} s after the begin")
