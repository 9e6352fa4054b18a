"""Standing orders: refused where they could never be followed, followed once however often they are delivered."""

from __future__ import annotations

import pytest

from domain.errors import CannotRepeat, CannotSchedule, InvalidCron
from domain.schedule import ScheduledRedeliberation
from domain.steps.cancel import cancel_deliberation
from domain.steps.scheduled import run_scheduled, schedule_redeliberation
from tests.support.factories import council, plan, plan_request
from tests.support.in_memory.schedule import MemorySchedule
from tests.support.stage import Stage


def order(plan_id: str, role: str = "DEV", cron: str = "0 6 * * *") -> ScheduledRedeliberation:
    return ScheduledRedeliberation(name="nightly", plan_id=plan_id, role=role, cron=cron)


def test_an_order_stands_for_a_plan_that_was_asked_of_the_role() -> None:
    stage, schedule = Stage(council("DEV")), MemorySchedule()
    wanted = order(stage.play().deliberation.plan.plan_id)
    schedule_redeliberation(wanted, schedule, stage.services)
    assert schedule.all() == (wanted,)


def test_a_plan_just_accepted_may_have_orders_before_its_deliberations_open() -> None:
    stage, schedule = Stage(council("DEV")), MemorySchedule()
    request = plan_request()
    stage.services.plans.save([request])
    schedule_redeliberation(order(request.plan.plan_id), schedule, stage.services)
    assert schedule.all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plan_id": "unknown"}, "no plan unknown"),
        ({"role": "POET"}, r"never asked of role POET \(it was of: DEV, OPS\)"),
        ({"role": "OPS"}, r"no council for role OPS: .* \(there are: DEV\)"),
    ],
)
def test_what_could_never_be_followed_does_not_stand(changes: dict[str, str], said: str) -> None:
    stage, schedule = Stage(council("DEV")), MemorySchedule()
    request = plan_request(plan(roles=("DEV", "OPS")))
    stage.approve(request)
    with pytest.raises(CannotSchedule, match=said):
        schedule_redeliberation(order(**({"plan_id": request.plan.plan_id} | changes)), schedule, stage.services)
    assert schedule.all() == ()


def test_a_time_that_never_comes_does_not_stand() -> None:
    stage, schedule = Stage(council("DEV")), MemorySchedule()
    with pytest.raises(InvalidCron, match="never occurs"):
        schedule_redeliberation(
            order(stage.play().deliberation.plan.plan_id, cron="0 0 30 2 *"), schedule, stage.services
        )


def test_an_order_repeats_the_newest_deliberation_of_its_role() -> None:
    stage = Stage(council("DEV"))
    first = stage.play().deliberation
    stage.clock.advance(60)
    following = run_scheduled(first.plan.plan_id, "DEV", stage.services, ordered_at=stage.clock.now())
    assert stage.record(following).deliberation.supersedes == first.deliberation_id


def test_orders_that_come_twice_or_late_open_one_deliberation() -> None:
    stage = Stage(council("DEV"))
    plan_id = stage.play().deliberation.plan.plan_id
    stage.clock.advance(60)
    ordered_at = stage.clock.now()
    stage.clock.advance(300)
    opened = run_scheduled(plan_id, "DEV", stage.services, ordered_at=ordered_at)
    cancel_deliberation(opened, "so that it has ended", stage.services)
    for late in (0, 60, 299):
        assert run_scheduled(plan_id, "DEV", stage.services, ordered_at=ordered_at + late) == opened
    stage.clock.advance(1)
    assert run_scheduled(plan_id, "DEV", stage.services, ordered_at=stage.clock.now()) != opened


def test_an_order_is_not_followed_while_the_last_one_is_open_or_without_a_deliberation() -> None:
    stage = Stage(council("DEV"))
    plan_id = stage.record(stage.open()).deliberation.plan.plan_id
    stage.clock.advance(1)
    with pytest.raises(CannotRepeat, match="is still"):
        run_scheduled(plan_id, "DEV", stage.services, ordered_at=stage.clock.now())
    with pytest.raises(CannotRepeat, match="no deliberation of role QA"):
        run_scheduled(plan_id, "QA", stage.services, ordered_at=stage.clock.now())
