"""Concluding without all: agents that failed, ballots that are missing, engines that are away."""

from __future__ import annotations

import pytest

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.contract import CompletedBody, FailedBody
from domain.errors import EngineAway
from domain.record import DeliberationState
from domain.steps.conclude import conclude_deliberation
from tests.support.factories import agent, council
from tests.support.scripted_model import answer, failure
from tests.support.stage import Stage

COMPLETED = "orchestration.deliberation.completed"


def test_a_failed_agent_is_named_and_the_quorum_decides() -> None:
    stage = Stage(council("DEV"))

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        return failure(request, FailureReason.TIMEOUT) if request.key == "proposal/0/agent-2" else None

    stage.model.follow(script)
    record = stage.play()

    (body,) = stage.news.bodies(CompletedBody)
    assert body.degraded is True
    assert body.failures[0].agent_id == "agent-2"
    assert body.failures[0].reason == "timeout"
    assert {ballot.agent_id for ballot in record.ballots()} == {"agent-1", "agent-3"}


def test_below_the_quorum_it_fails_with_an_event_and_no_text_is_made_up() -> None:
    stage = Stage(council("DEV"))
    stage.model.follow(lambda request, before: None if "agent-1" in request.key else answer(request, " "))

    record = stage.play()

    assert record.state is DeliberationState.FAILED
    (body,) = stage.news.bodies(FailedBody)
    assert "1 of 3 agents" in body.reason
    assert {row.reason for row in body.failures} == {"empty"}
    assert not stage.news.of_type(COMPLETED)


def test_a_failure_tells_what_was_proposed_and_what_it_took() -> None:
    stage = Stage(council("DEV"))
    stage.model.follow(lambda request, before: None if "agent-1" in request.key else answer(request, " "))

    record = stage.play()

    (body,) = stage.news.bodies(FailedBody)
    (proposal,) = body.proposals
    (recorded,) = record.proposals()
    assert proposal.author.agent_id == "agent-1"
    assert (proposal.content, proposal.proposal_id) == (recorded.text, "agent-1@0")
    assert body.usage is not None
    assert body.usage.completion_tokens == record.usage.completion_tokens > 0
    assert body.usage.agents.keys() == {"agent-1", "agent-2", "agent-3"}


def test_a_reviewer_off_form_is_asked_once_more_and_then_missing() -> None:
    stage = Stage(council("DEV"))

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        return answer(request, "I like A best!") if request.form and request.model == "odd" else None

    stage.services.councils.save(council("DEV", agents=(agent("x"), agent("y"), agent("z", model="odd"))))
    stage.model.follow(script)
    record = stage.play()

    missing = [ballot for ballot in record.ballots() if ballot.missing]
    assert [(ballot.agent_id, ballot.missing) for ballot in missing] == [("z", FailureReason.MALFORMED)]
    assert sum(request.model == "odd" and request.form is not None for request in stage.model.requests) == 2 * 2
    assert record.state is DeliberationState.DECIDED


def test_without_a_single_ballot_there_is_no_decision() -> None:
    stage = Stage(council("DEV"))
    stage.model.follow(lambda request, before: answer(request, "no") if request.form else None)
    record = stage.play()
    assert record.state is DeliberationState.FAILED
    assert record.closed is not None
    assert "no reviewer" in record.closed.reason


def test_an_engine_that_is_away_is_waited_for_and_cast_ballots_stay() -> None:
    stage = Stage(council("DEV"))
    away = {"yes": True}

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        if request.form and away["yes"] and len(stage.model.requests) > 5:
            return failure(request, FailureReason.UNREACHABLE)
        return None

    stage.model.follow(script)
    deliberation_id = stage.open()
    stage.propose(deliberation_id)
    with pytest.raises(EngineAway):
        conclude_deliberation(deliberation_id, stage.services)
    early = stage.record(deliberation_id).ballots()
    assert 0 < len(early) < 3
    away["yes"] = False
    conclude_deliberation(deliberation_id, stage.services)

    record = stage.record(deliberation_id)
    assert record.state is DeliberationState.DECIDED
    assert all(ballot in record.ballots() for ballot in early)
    assert len(stage.model.waves[-1]) == 2 * (3 - len(early))


def test_an_engine_away_past_the_deadline_leaves_missing_ballots() -> None:
    stage = Stage(council("DEV"))
    deliberation_id = stage.open()
    stage.propose(deliberation_id)

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        stage.clock.advance(10_000)
        return failure(request, FailureReason.UNREACHABLE)

    stage.model.follow(script)
    conclude_deliberation(deliberation_id, stage.services)
    assert stage.record(deliberation_id).state is DeliberationState.FAILED
