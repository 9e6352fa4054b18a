"""Scheduled re-deliberations: refused where they could never run, run once however often they are delivered."""

from __future__ import annotations

import pytest

from domain.errors import CannotRepeat, CannotSchedule, InvalidCron
from domain.schedule import ScheduledRedeliberation
from tests.support.factories import council, plan, plan_request
from tests.support.in_memory.schedule import MemorySchedule
from tests.support.stage import Stage


def nightly(plan_id: str, role: str = "DEV", cron: str = "0 6 * * *") -> ScheduledRedeliberation:
    return ScheduledRedeliberation(name="nightly", plan_id=plan_id, role=role, cron=cron)


def test_a_plan_that_was_asked_of_the_role_may_be_scheduled() -> None:
    stage, schedule = Stage(council("DEV")), MemorySchedule()
    scheduled = nightly(stage.play().deliberation.plan.plan_id)
    stage.schedule(scheduled, schedule)
    assert schedule.all() == (scheduled,)


def test_a_plan_just_accepted_may_be_scheduled_before_its_deliberations_open() -> None:
    stage, schedule = Stage(council("DEV")), MemorySchedule()
    request = plan_request()
    stage.services.plans.save([request])
    stage.schedule(nightly(request.plan.plan_id), schedule)
    assert schedule.all()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"plan_id": "unknown"}, "no plan unknown"),
        ({"role": "POET"}, r"never asked of role POET \(it was of: DEV, OPS\)"),
        ({"role": "OPS"}, r"no council for role OPS: .* \(there are: DEV\)"),
    ],
)
def test_what_could_never_run_is_not_scheduled(changes: dict[str, str], reason: str) -> None:
    stage, schedule = Stage(council("DEV")), MemorySchedule()
    request = plan_request(plan(roles=("DEV", "OPS")))
    stage.approve(request)
    with pytest.raises(CannotSchedule, match=reason):
        stage.schedule(nightly(**({"plan_id": request.plan.plan_id} | changes)), schedule)
    assert schedule.all() == ()


def test_a_role_is_scheduled_and_run_in_whatever_case_it_is_written() -> None:
    stage, schedule = Stage(council("DEV")), MemorySchedule()
    plan_id = stage.play().deliberation.plan.plan_id
    stage.schedule(nightly(plan_id, role="dev"), schedule)
    assert [scheduled.role for scheduled in schedule.all()] == ["DEV"]
    stage.clock.advance(60)
    following = stage.run_scheduled(plan_id, "dev", due_at=stage.clock.now())
    assert stage.record(following).deliberation.role == "DEV"


def test_a_time_that_never_comes_is_not_scheduled() -> None:
    stage, schedule = Stage(council("DEV")), MemorySchedule()
    with pytest.raises(InvalidCron, match="never occurs"):
        stage.schedule(nightly(stage.play().deliberation.plan.plan_id, cron="0 0 30 2 *"), schedule)


def test_a_run_repeats_the_newest_deliberation_of_its_role() -> None:
    stage = Stage(council("DEV"))
    first = stage.play().deliberation
    stage.clock.advance(60)
    following = stage.run_scheduled(first.plan.plan_id, "DEV", due_at=stage.clock.now())
    assert stage.record(following).deliberation.supersedes == first.deliberation_id


def test_runs_that_come_twice_or_late_open_one_deliberation() -> None:
    stage = Stage(council("DEV"))
    plan_id = stage.play().deliberation.plan.plan_id
    stage.clock.advance(60)
    due_at = stage.clock.now()
    stage.clock.advance(300)
    opened = stage.run_scheduled(plan_id, "DEV", due_at=due_at)
    stage.cancel(opened, "so that it has ended")
    for late in (0, 60, 299):
        assert stage.run_scheduled(plan_id, "DEV", due_at=due_at + late) == opened
    stage.clock.advance(1)
    assert stage.run_scheduled(plan_id, "DEV", due_at=stage.clock.now()) != opened


def test_nothing_runs_while_the_newest_is_open_or_without_a_deliberation() -> None:
    stage = Stage(council("DEV"))
    plan_id = stage.record(stage.open()).deliberation.plan.plan_id
    stage.clock.advance(1)
    with pytest.raises(CannotRepeat, match="is still"):
        stage.run_scheduled(plan_id, "DEV", due_at=stage.clock.now())
    with pytest.raises(CannotRepeat, match="no deliberation of role QA"):
        stage.run_scheduled(plan_id, "QA", due_at=stage.clock.now())
