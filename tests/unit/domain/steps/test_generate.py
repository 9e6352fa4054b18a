"""Generating: one proposal an agent, written once; failures are recorded, outages are waited for."""

from __future__ import annotations

import pytest

from domain.chat import FailureReason
from domain.entry import AgentFailed, Proposed
from domain.errors import EngineAway
from domain.limits import Limits
from domain.policy import Policy
from domain.prompts.proposal_question import proposal_question
from tests.support.factories import agent, closed, council, deliberation, plan, plan_request
from tests.support.scripted_model import answer, failure
from tests.support.stage import Stage


def test_a_second_run_finds_the_first_one_s_proposal() -> None:
    stage = Stage(council("DEV"))
    identity = stage.open()
    first = stage.generate(identity, "agent-1")
    second = stage.generate(identity, "agent-1")
    assert isinstance(first, Proposed)
    assert second == first
    assert len(stage.model.requests) == 1


@pytest.mark.parametrize("reason", [reason for reason in FailureReason if not reason.passing])
def test_a_failure_is_recorded_as_what_it_was(reason: FailureReason) -> None:
    stage = Stage(council("DEV"))
    stage.model.follow(lambda request, before: failure(request, reason))
    outcome = stage.generate(stage.open(), "agent-1")
    assert isinstance(outcome, AgentFailed)
    assert outcome.reason is reason


@pytest.mark.parametrize("reason", [reason for reason in FailureReason if reason.passing])
def test_an_engine_that_is_away_fails_no_agent_before_the_deadline(reason: FailureReason) -> None:
    stage = Stage(council("DEV"))
    stage.model.follow(lambda request, before: failure(request, reason))
    identity = stage.open()
    with pytest.raises(EngineAway):
        stage.generate(identity, "agent-1")
    assert stage.record(identity).attempt(0, "agent-1") is None
    stage.clock.advance(10_000)
    late = stage.generate(identity, "agent-1")
    assert isinstance(late, AgentFailed)
    assert late.reason is FailureReason.DEADLINE


def test_an_empty_answer_is_a_failure_and_a_cut_off_one_is_marked() -> None:
    stage = Stage(council("DEV"))
    texts = {"proposal/0/agent-1": " \n"}
    stage.model.follow(lambda request, before: answer(request, texts.get(request.key, "Begin"), cut_off=True))
    identity = stage.open()
    empty = stage.generate(identity, "agent-1")
    cut = stage.generate(identity, "agent-2")
    assert isinstance(empty, AgentFailed)
    assert empty.reason is FailureReason.EMPTY
    assert isinstance(cut, Proposed)
    assert cut.cut_off


def test_a_cut_off_answer_fails_where_the_policy_is_strict() -> None:
    stage = Stage(council("DEV"), policy=Policy(model="tiny", cut_off="fail"))
    stage.model.follow(lambda request, before: answer(request, "Begin", cut_off=True))
    outcome = stage.generate(stage.open(), "agent-1")
    assert isinstance(outcome, AgentFailed)
    assert outcome.reason is FailureReason.CUT_OFF


def test_a_proposal_longer_than_allowed_is_refused_with_its_length() -> None:
    stage = Stage(council("DEV"), policy=Policy(model="tiny", limits=Limits(proposal_chars=50)))
    lengths = {"proposal/0/agent-1": 51}
    stage.model.follow(lambda request, before: answer(request, "x" * lengths.get(request.key, 50)))
    identity = stage.open()
    long = stage.generate(identity, "agent-1")
    assert isinstance(long, AgentFailed)
    assert long.reason is FailureReason.REJECTED
    assert "51 characters, 50 are allowed" in long.detail
    assert long.usage.completion_tokens > 0
    assert isinstance(stage.generate(identity, "agent-2"), Proposed)


def test_nothing_is_written_to_a_deliberation_that_was_cancelled_meanwhile() -> None:
    stage = Stage(council("DEV"))
    identity = stage.open()
    cancelled = closed(status="cancelled", at=stage.clock.now())

    def cancel_meanwhile(request, before):  # type: ignore[no-untyped-def]
        stage.services.deliberations.record(identity, cancelled)
        return answer(request, "too late")

    stage.model.follow(cancel_meanwhile)
    assert stage.generate(identity, "agent-1") is None


def test_agents_see_the_plan_their_role_and_persona_and_share_the_longest_prefix() -> None:
    whole = plan(acceptance_criteria=("It works once.",), constraints={"requirements": ["Use no cookies."]})
    about = deliberation(whole)
    members = (agent("a", persona="You doubt."), agent("b", persona="You dare."))
    questions = [proposal_question(about, member, Policy(), timeout_s=5) for member in members]
    texts = [question.request.messages for question in questions]
    prompt = texts[0][-1].content
    for part in (whole.title, whole.description, "It works once.", "Use no cookies.", about.role, "You doubt."):
        assert part in prompt
    shared = prompt[: prompt.index("You doubt.")]
    assert texts[1][-1].content.startswith(shared)
    assert texts[0][0] == texts[1][0]
    assert len(shared) > 0.8 * len(prompt)


def test_the_models_named_by_agents_are_asked() -> None:
    stage = Stage(council("DEV", agents=(agent("a", model="big"), agent("b", model=None))))
    stage.play(plan_request())
    assert {request.model for request in stage.model.requests} == {"big", "tiny"}
