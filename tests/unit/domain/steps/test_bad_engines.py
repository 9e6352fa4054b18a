"""An engine that is away, busy or broken costs its own agent the proposal, and nobody else the time."""

from __future__ import annotations

import pytest

from domain.chat import ChatFailure, ChatOutcome, ChatRequest, FailureReason
from domain.deliberation import ReviewRules
from domain.engine_wait import EngineWait
from domain.entry import AgentFailed
from domain.errors import EngineAway
from domain.policy import Policy
from domain.record import DeliberationState
from domain.steps.conclude import conclude_deliberation
from tests.support.factories import agent, council
from tests.support.scripted_model import failure
from tests.support.stage import Stage

POLICY = Policy(model="tiny", deadline_s=600, review=ReviewRules(deadline_share=0.25))
DUE_S = 450.0


def away(request: ChatRequest, reason: FailureReason = FailureReason.UNREACHABLE) -> ChatFailure:
    return failure(request, reason).model_copy(update={"detail": "the engine failed (502): upstream"})


def one_broken(request: ChatRequest, before: int) -> ChatOutcome | None:
    return away(request) if request.key == "proposal/0/agent-1" else None


def waited_in(error: pytest.ExceptionInfo[EngineAway]) -> EngineWait:
    return error.value.wait


def test_proposing_ends_before_the_time_that_belongs_to_the_review() -> None:
    stage = Stage(council("DEV"), policy=POLICY)
    deliberation = stage.record(stage.open()).deliberation
    assert deliberation.proposals_due_at == deliberation.opened_at + DUE_S
    alone = Stage(council("DEV", size=1), policy=POLICY)
    deliberation = alone.record(alone.open()).deliberation
    assert deliberation.proposals_due_at == deliberation.deadline_at


def test_one_engine_that_is_always_away_leaves_the_others_time_to_vote() -> None:
    stage = Stage(council("DEV"), policy=POLICY)
    stage.model.follow(one_broken)
    identity = stage.open()
    stage.generate(identity, "agent-2")
    stage.generate(identity, "agent-3")
    with pytest.raises(EngineAway) as first:
        stage.generate(identity, "agent-1")
    assert first.value.until == stage.clock.now() + DUE_S
    stage.clock.advance(DUE_S)
    failed = stage.generate(identity, "agent-1", waited=waited_in(first))
    assert isinstance(failed, AgentFailed)
    conclude_deliberation(identity, stage.services)
    record = stage.record(identity)
    assert record.state is DeliberationState.DECIDED
    assert [ballot for ballot in record.ballots() if ballot.missing] == []


@pytest.mark.parametrize("by", ["sweep", "conclusion"])
def test_no_agent_is_waited_for_beyond_that_moment(by: str) -> None:
    stage = Stage(council("DEV"), policy=POLICY)
    identity = stage.open()
    stage.generate(identity, "agent-2")
    stage.generate(identity, "agent-3")
    stage.clock.advance(DUE_S)
    if by == "sweep":
        stage.sweep()
    else:
        conclude_deliberation(identity, stage.services)
    (failed,) = stage.record(identity).failures()
    assert (failed.agent_id, failed.reason) == ("agent-1", FailureReason.DEADLINE)


def test_the_last_cause_is_told_and_how_often_the_engine_was_asked() -> None:
    stage = Stage(council("DEV"), policy=POLICY)
    stage.model.follow(one_broken)
    identity, waited = stage.open(), None
    for _ in range(6):
        with pytest.raises(EngineAway) as error:
            stage.generate(identity, "agent-1", waited=waited)
        waited = waited_in(error)
        stage.clock.advance(5)
    stage.clock.advance(DUE_S)
    failed = stage.generate(identity, "agent-1", waited=waited)
    assert isinstance(failed, AgentFailed)
    assert failed.reason is FailureReason.UNREACHABLE
    assert failed.detail == "the engine failed (502): upstream, asked 6 times"


def test_a_call_that_fails_as_the_time_ends_counts_as_one_more() -> None:
    stage = Stage(council("DEV"), policy=POLICY)
    identity = stage.open()

    def slow(request: ChatRequest, before: int) -> ChatOutcome:
        stage.clock.advance(DUE_S)
        return away(request)

    stage.model.follow(slow)
    wait = EngineWait(reason=FailureReason.BUSY, detail="busy", times=2, since=0.0)
    failed = stage.generate(identity, "agent-1", waited=wait)
    assert isinstance(failed, AgentFailed)
    assert failed.detail == "the engine failed (502): upstream, asked 3 times"


def test_a_model_that_left_is_waited_for_in_the_review_no_longer_than_in_proposing() -> None:
    lending = council("QA", agents=(agent(model="big"), agent(model="big")))
    stage = Stage(council("DEV"), lending, policy=POLICY.model_copy(update={"model_wait_s": 60.0, "judges": 2}))

    def gone(request: ChatRequest, before: int) -> ChatOutcome | None:
        return away(request, FailureReason.NOT_SERVED) if request.model == "big" else None

    stage.model.follow(gone)
    identity = stage.open()
    stage.propose(identity)
    assert len(stage.record(identity).deliberation.judges) == 2
    with pytest.raises(EngineAway) as error:
        conclude_deliberation(identity, stage.services)
    stage.clock.advance(61)
    with pytest.raises(EngineAway):  # its engine is still listed: it may be starting again
        conclude_deliberation(identity, stage.services, waited_in(error))
    stage.services.engines.withdraw("big")
    conclude_deliberation(identity, stage.services, waited_in(error))
    record = stage.record(identity)
    assert record.state is DeliberationState.DECIDED
    missing = [ballot for ballot in record.ballots() if ballot.missing]
    assert {(ballot.missing, ballot.model) for ballot in missing} == {(FailureReason.NOT_SERVED, "big")}
    assert record.closed is not None
    assert record.closed.at - record.deliberation.opened_at < 100


def test_a_judge_is_drawn_only_where_its_model_is_served() -> None:
    lending = council("QA", agents=(agent(model="big"), agent()))
    stage = Stage(council("DEV"), lending, policy=POLICY.model_copy(update={"judges": 2}))
    stage.services.engines.withdraw("big")
    judges = stage.record(stage.open()).deliberation.judges
    assert [judge.model for judge in judges] == ["tiny"]


def test_a_ballot_that_was_never_asked_again_names_the_last_cause() -> None:
    stage = Stage(council("DEV"), policy=POLICY)
    stage.model.follow(lambda request, before: away(request) if request.form else None)
    identity = stage.open()
    stage.propose(identity)
    with pytest.raises(EngineAway) as error:
        conclude_deliberation(identity, stage.services)
    stage.clock.advance(601)
    conclude_deliberation(identity, stage.services, waited_in(error))
    ballots = stage.record(identity).ballots()
    assert {ballot.detail for ballot in ballots} == {"the engine failed (502): upstream"}
