"""Sweeping: what stands still is queued again, what no worker serves is given up, what runs is left alone."""

from __future__ import annotations

import pytest

from domain.chat import FailureReason
from domain.engine import EngineKind, EngineRecord, Guidance
from domain.plan import PlanRequest
from domain.policy import Policy
from domain.record import DeliberationState, Record
from domain.steps.conclude import conclude_deliberation
from tests.support.factories import council, plan, plan_request
from tests.support.stage import Stage

POLICY = Policy(model="tiny", sweep_after_s=10, model_wait_s=60, deadline_s=600)


def staged() -> Stage:
    stage = Stage(council("DEV"), policy=POLICY)
    engine = EngineRecord(
        name="tiny@here",
        model="tiny",
        url="http://localhost/v1",
        kind=EngineKind.EXTERNAL,
        guidance=Guidance.REGEX,
    )
    stage.services.engines.publish(engine, 10_000)
    return stage


def test_only_what_is_missing_is_queued_again() -> None:
    stage = staged()
    identity = stage.open()
    stage.generate(identity, "agent-2")
    stage.clock.advance(11)
    assert stage.sweep() == 1
    assert stage.queue.work[-1] == (identity, ("agent-1", "agent-3"))


def test_a_lost_callback_is_queued_alone() -> None:
    stage = staged()
    identity = stage.open()
    stage.propose(identity)
    stage.clock.advance(11)
    stage.sweep()
    assert stage.queue.work[-1] == (identity, ())


def test_what_moves_or_has_ended_is_left_alone() -> None:
    stage = staged()
    identity = stage.open()
    stage.clock.advance(9)
    assert stage.sweep() == 0
    stage.propose(identity)
    conclude_deliberation(identity, stage.services)
    stage.clock.advance(100)
    assert stage.sweep() == 0


def test_what_waits_in_a_long_queue_is_queued_again_ever_more_rarely() -> None:
    stage = staged()
    stage.open()
    sweeps = 0
    for _ in range(500):
        stage.clock.advance(1)
        sweeps += stage.sweep()
    assert 2 <= sweeps <= 10


def test_a_model_that_no_worker_serves_is_given_up_with_a_sentence() -> None:
    stage = staged()
    stage.services.councils.save(council("QA", agents=[{"agent_id": "a", "model": "absent"}]))
    identity = stage.open(plan_request(plan(roles=("QA",))))
    stage.clock.advance(59)
    stage.sweep()
    assert stage.record(identity).failures() == ()
    stage.clock.advance(30)
    stage.sweep()
    (failed,) = stage.record(identity).failures()
    assert failed.reason is FailureReason.NOT_SERVED
    assert "absent" in failed.detail
    assert "tiny by tiny@here" in failed.detail
    assert stage.queue.work[-1] == (identity, ())
    conclude_deliberation(identity, stage.services)
    assert stage.record(identity).state is DeliberationState.FAILED


def test_an_engine_on_its_way_is_waited_for() -> None:
    stage = staged()
    for engine in stage.services.engines.all():
        stage.services.engines.publish(engine.model_copy(update={"ready": False}), 10_000)
    identity = stage.open()
    stage.clock.advance(100)
    stage.sweep()
    assert stage.record(identity).failures() == ()


def test_the_deadline_ends_the_waiting() -> None:
    stage = staged()
    identity = stage.open()
    stage.clock.advance(601)
    stage.sweep()
    assert {failed.reason for failed in stage.record(identity).failures()} == {FailureReason.DEADLINE}
    conclude_deliberation(identity, stage.services)
    assert stage.record(identity).state is DeliberationState.FAILED


def test_a_plan_whose_dispatch_got_lost_is_queued_again_until_it_is_done() -> None:
    stage = staged()
    request = plan_request()
    stage.services.plans.save([request])
    stage.clock.advance(11)
    stage.sweep()
    assert stage.queue.requests == [request]
    stage.approve(request)
    stage.clock.advance(30)
    stage.sweep()
    assert stage.queue.requests == [request]


def test_one_deliberation_that_can_not_be_read_keeps_no_other_from_being_repaired() -> None:
    stage = staged()
    broken, sound = stage.open(), stage.open(plan_request(plan()))
    load = stage.services.deliberations.load

    def load_or_fail(deliberation_id: str) -> Record:
        if deliberation_id == broken:
            raise ValueError("an entry of a newer version")
        return load(deliberation_id)

    stage.services.deliberations.load = load_or_fail  # type: ignore[method-assign]
    stage.clock.advance(11)
    with pytest.raises(ValueError, match="newer version"):
        stage.sweep()
    assert stage.queue.work[-1][0] == sound


def test_a_plan_past_its_retention_leaves_the_backlog() -> None:
    stage = staged()
    request = plan_request()
    stage.services.plans.save([request])

    def forgotten(request_id: str) -> PlanRequest:
        raise LookupError(request_id)

    stage.services.plans.load = forgotten  # type: ignore[method-assign]
    stage.clock.advance(11)
    stage.sweep()
    assert stage.queue.requests == []
    assert stage.services.plans.count_undispatched() == 0


def test_after_a_gap_living_steps_are_let_touch_theirs_first() -> None:
    stage = staged()
    alive, lost = stage.open(), stage.open(plan_request(plan()))
    queued = len(stage.queue.work)
    stage.sweep()
    stage.clock.advance(60)  # a store that is silent, or refuses to write: neither a sweep nor a touch
    assert stage.sweep_once() == 0
    stage.services.deliberations.touch(alive, stage.clock.now())
    stage.clock.advance(1)
    assert stage.sweep_once() == 0, "other sweeps may have queued up meanwhile"
    stage.clock.advance(4)
    assert stage.sweep_once() == 1
    assert [work[0] for work in stage.queue.work[queued:]] == [lost]
