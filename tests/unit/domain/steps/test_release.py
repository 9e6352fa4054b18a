"""What was parked is let go: a message goes back, a task is made good by a new deliberation."""

from __future__ import annotations

import pytest

from domain.errors import CannotRepeat
from domain.parked import Parked
from domain.steps.release import release_parked
from tests.support import factories as make
from tests.support.in_memory.parking import MemoryParking
from tests.support.stage import Stage

MESSAGE = Parked(parked_id="m", at=1.0, queue="control", reason="no list", message="7b7d")


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"), make.council("QA"))


def task(name: str, subject: str) -> Parked:
    return Parked(parked_id="t", at=2.0, queue="control", reason="5 losses", task=name, subject=subject)


def release(stage: Stage, parked_id: str) -> tuple[str, ...]:
    services = stage.services
    return release_parked(
        parked_id,
        parking=services.parking,
        plans=services.plans,
        deliberations=services.deliberations,
        councils=services.councils,
        engines=services.engines,
        outbox=services.outbox,
        publisher=services.publisher,
        dispatcher=services.dispatcher,
        clock=services.clock,
        policy=services.policy,
        redeliberation=services.redeliberation,
    )


def test_a_message_goes_back_into_its_queue(stage: Stage) -> None:
    parking = stage.services.parking
    assert isinstance(parking, MemoryParking)
    parking.put(MESSAGE)
    assert release(stage, "m") == ()
    assert parking.requeued == [MESSAGE]
    assert parking.count() == 0


def test_a_dispatch_is_made_good_for_every_role_of_its_request(stage: Stage) -> None:
    request = stage.approve(make.plan_request(make.plan(roles=("DEV", "QA"))))
    ended = [work[0] for work in stage.queue.work]
    for deliberation_id in ended:
        stage.cancel(deliberation_id, "given up")
    stage.services.parking.put(task("plan.dispatch", request.request_id))
    following = release(stage, "t")
    assert {stage.record(one).deliberation.supersedes for one in following} == set(ended)
    assert stage.services.parking.count() == 0


def test_what_can_not_be_made_good_stays_parked(stage: Stage) -> None:
    open_ = stage.open()
    stage.services.parking.put(task("deliberation.conclude", open_))
    with pytest.raises(CannotRepeat, match="is still"):
        release(stage, "t")
    stage.services.parking.drop("t")
    request = make.plan_request(make.plan(plan_id="never dispatched"))
    stage.services.plans.save([request])
    stage.services.parking.put(task("plan.dispatch", request.request_id))
    with pytest.raises(CannotRepeat, match="opened no deliberation"):
        release(stage, "t")
    assert stage.services.parking.count() == 1


def test_what_is_not_parked_is_said_to_be_none(stage: Stage) -> None:
    with pytest.raises(LookupError, match="nothing is parked as zz"):
        release(stage, "zz")
