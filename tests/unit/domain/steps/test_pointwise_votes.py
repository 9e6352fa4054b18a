"""Votes with a call per proposal: a failure or a reminder concerns one call, and a ballot is one entry."""

from __future__ import annotations

import pytest

from domain.candidates import ballots_of, first_versions
from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.decision import replay
from domain.deliberation import ReviewRules
from domain.errors import EngineAway
from domain.policy import Policy
from domain.record import Record
from domain.steps.conclude import conclude_deliberation
from domain.thinking import Thinking
from tests.support.factories import agent, council
from tests.support.scripted_model import answer, failure
from tests.support.stage import Stage, decision_of

LOST = FailureReason.TIMEOUT


def put_on(**rules: object) -> Stage:
    review = ReviewRules.model_validate({"ballots": "pointwise", **rules})
    return Stage(council("DEV"), policy=Policy(model="tiny", review=review))


def played(lost: object = None, **rules: object) -> tuple[Stage, Record]:
    """Play a council of three; `lost(request)` says which calls of ballots fail."""
    stage = put_on(**rules)

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        if request.form is None:
            return answer(request, "A step. " * (6 + 3 * (request.seed or 0)))
        return failure(request, LOST) if callable(lost) and lost(request) else None

    stage.model.follow(script)
    return stage, stage.play()


def about(request: ChatRequest) -> str:
    """Return the text of the proposal that a call is about."""
    return request.messages[-1].content.split(" PROPOSAL ===\n")[1].split("\n===")[0]


def test_one_call_that_fails_costs_its_score_alone_and_the_decision_is_degraded() -> None:
    _, record = played(lambda request: request.key.startswith("ballot/0/0/agent-1#") and len(about(request)) > 110)
    decision = decision_of(record)
    (row,) = [row for row in decision.ballots if row.gaps]
    assert (row.reviewer, row.missing, row.gaps) == ("agent-1", None, {"agent-3@0": "timeout"})
    assert list(row.scores) == ["agent-2@0"]
    assert decision.degraded
    assert [(failed.agent_id, failed.stage, failed.reason) for failed in decision.failures] == [
        ("agent-1", "ballot", "timeout")
    ]
    assert "agent-3@0" in decision.failures[0].detail
    stored, replayed = replay(record)
    assert stored.model_dump_json() == replayed.model_dump_json()


def test_a_proposal_that_makes_every_call_about_it_fail_gains_nothing_and_takes_no_ballot_with_it() -> None:
    _, record = played(lambda request: len(about(request)) > 110)
    decision = decision_of(record)
    assert [row.missing for row in decision.ballots] == [None, None, None]
    assert decision.decisions[-1].proposal.proposal_id == "agent-3@0"
    assert decision.winner is not None
    assert decision.winner.proposal_id == "agent-2@0"


def test_only_the_call_that_was_off_form_is_reminded() -> None:
    stage = put_on()
    odd = "ballot/0/0/agent-2#agent-1@0"
    stage.model.follow(
        lambda request, before: answer(request, "I like it!") if request.key == odd and not before else None
    )
    record = stage.play()
    assert [request.key for request in stage.model.waves[-1]] == [odd]
    assert "Write exactly this" in stage.model.waves[-1][0].messages[-1].content
    assert all(ballot.missing is None and not ballot.gaps for ballot in record.ballots())


def test_a_ballot_whose_engine_goes_away_is_asked_again_whole_and_whole_ones_stay() -> None:
    stage = put_on()
    away = {"yes": True}

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        gone = away["yes"] and request.key == "ballot/0/0/agent-2#agent-1@0"
        return failure(request, FailureReason.UNREACHABLE) if gone else None

    stage.model.follow(script)
    identity = stage.open()
    stage.propose(identity)
    with pytest.raises(EngineAway):
        conclude_deliberation(identity, stage.services)
    assert {ballot.agent_id for ballot in stage.record(identity).ballots()} == {"agent-1", "agent-3"}
    away["yes"] = False
    conclude_deliberation(identity, stage.services)
    assert {request.key.partition("#")[0] for request in stage.model.waves[-1]} == {"ballot/0/0/agent-2"}
    assert len(stage.model.waves[-1]) == 2
    assert len(stage.record(identity).ballots()) == 3


@pytest.mark.parametrize(
    ("ballots", "thinking", "calls"), [("pointwise", "off", 6), ("listwise", "off", 3), ("pointwise", "on", 3)]
)
def test_the_rules_say_how_ballots_are_asked_and_thoughts_are_paid_once(
    ballots: str, thinking: Thinking, calls: int
) -> None:
    stage, record = played(ballots=ballots, thinking=thinking)
    asked = [request for request in stage.model.requests if request.form]
    usage = decision_of(record).usage
    assert len(asked) == calls
    assert sum(agent.calls for agent in usage.agents.values()) == 3 + calls
    assert usage.prompt_tokens == 100 * (3 + calls)


def test_what_one_reviewer_of_a_voice_was_asked_counts_for_its_copies_but_not_their_own() -> None:
    copies = tuple(agent(f"agent-{number}", seed=number) for number in range(1, 5))
    stage = Stage(council("DEV", agents=copies), policy=Policy(model="tiny"))
    record = stage.play()
    first, second = record.ballots()
    assert (set(first.scores), set(second.scores)) == ({"agent-2@0", "agent-3@0", "agent-4@0"}, {"agent-1@0"})

    candidates = first_versions(record)
    voices = {one.agent_id: "a voice" for one in copies}
    both = {**first.reading, **second.reading}
    counted = ballots_of(record, candidates, 0, voices)
    assert [(ballot.reviewer, dict(ballot.scores)) for ballot in counted] == [
        (name, {proposal: scores for proposal, scores in both.items() if proposal != f"{name}@0"})
        for name in ("agent-1", "agent-2")
    ]
    apart = ballots_of(record, candidates, 0, {})
    assert [set(ballot.scores) for ballot in apart] == [set(first.scores), set(second.scores)]
    assert all(not report.missing for report in decision_of(record).ranking.reviewers)


def test_no_place_is_told_and_none_has_an_effect() -> None:
    _, record = played()
    decision = decision_of(record)
    assert {row.order for row in decision.ballots} == {()}
    assert decision.ranking.place_effect == {}
