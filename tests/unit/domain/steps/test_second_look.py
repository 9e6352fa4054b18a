"""A second look at a tie: who is asked, what decides, and that it replays."""

from __future__ import annotations

import pytest

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.decision import replay
from domain.deliberation import ReviewRules
from domain.errors import EngineAway
from domain.policy import Policy
from domain.record import Record
from domain.restoring import entries_as_told
from domain.steps.conclude import conclude_deliberation
from tests.support.factories import agent, council
from tests.support.scripted_model import answer, failure
from tests.support.stage import Stage, decision_of

LOOK = Policy(model="tiny", review=ReviewRules(second_look=True))


def alike(request: ChatRequest, before: int) -> ChatOutcome | None:
    """Proposals of one length, which the scripted reviewers can't tell apart."""
    return answer(request, f"Step by {request.seed}. " * 12) if request.form is None else None


def preferring(stage: Stage, favourite: int) -> None:
    """Let every comparison choose the proposal of the agent with that seed, whichever comes first."""

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        if not request.key.startswith("comparison"):
            return alike(request, before)
        second = request.key.rsplit("/", 1)[1]
        return answer(request, f"better: {2 if second.startswith(f'agent-{favourite}@') else 1}")

    stage.model.follow(script)


def asked(stage: Stage) -> list[str]:
    return [request.key for request in stage.model.requests if request.key.startswith("comparison")]


def replays(record: Record) -> bool:
    stored, replayed = replay(record)
    return stored.model_dump_json() == replayed.model_dump_json()


@pytest.mark.parametrize("favourite", [1, 2, 3])
def test_comparisons_decide_a_tie_and_the_event_tells_them(favourite: int) -> None:
    stage = Stage(council("DEV"), policy=LOOK)
    preferring(stage, favourite)
    record = stage.play()

    decision = decision_of(record)
    assert decision.winner is not None
    assert decision.winner.agent_id == f"agent-{favourite}"
    assert (decision.decided_by, decision.tied) == ("second look", False)
    assert set(decision.ranking_inputs.second_look) == {"agent-1@0", "agent-2@0", "agent-3@0"}
    assert len(decision.second_look) == len(record.comparisons()) == 6
    assert replays(record)


def test_no_author_compares_its_own_text() -> None:
    stage = Stage(council("DEV"), policy=LOOK)
    stage.model.follow(alike)
    comparisons = stage.play().comparisons()
    assert {entry.agent_id for entry in comparisons} == {"agent-1", "agent-2", "agent-3"}
    assert not [entry for entry in comparisons if f"{entry.agent_id}@0" in (entry.first, entry.second)]


def test_one_of_each_voice_is_asked_about_a_pair() -> None:
    copies = tuple(agent(f"agent-{number}", seed=number) for number in range(1, 6))
    stage = Stage(council("DEV", agents=copies), policy=LOOK)
    stage.model.follow(alike)
    record = stage.play()
    pairs = [(entry.first, entry.second) for entry in record.comparisons()]
    assert len(record.ballots()) == 2
    assert len(pairs) == len(set(pairs)) == 6


def test_without_the_rule_or_without_a_tie_nothing_is_asked() -> None:
    off = Stage(council("DEV"))
    off.model.follow(alike)
    assert decision_of(off.play()).tied
    clear = Stage(council("DEV", size=5), policy=LOOK)
    clear.model.follow(
        lambda request, before: (
            answer(request, "A step. " * (30 if request.seed == 2 else 8)) if request.form is None else None
        )
    )
    assert not decision_of(clear.play()).tied
    for stage in (off, clear):
        assert asked(stage) == []


def test_answers_that_fail_are_missing_and_the_tie_stays() -> None:
    stage = Stage(council("DEV"), policy=LOOK)
    stage.model.follow(
        lambda request, before: (
            failure(request, FailureReason.TIMEOUT)
            if request.key.startswith("comparison")
            else alike(request, before)
        )
    )
    record = stage.play()
    decision = decision_of(record)
    assert decision.tied
    assert not decision.degraded
    assert {row.missing for row in decision.second_look} == {"timeout"}
    assert replays(record)


def test_a_conclusion_that_broke_off_asks_only_what_was_left() -> None:
    stage = Stage(council("DEV"), policy=LOOK)
    deliberation_id = stage.open()

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        if request.key.startswith("comparison/0/agent-3") and not before:
            return failure(request, FailureReason.BUSY)
        return alike(request, before)

    stage.model.follow(script)
    stage.propose(deliberation_id)
    with pytest.raises(EngineAway):
        conclude_deliberation(deliberation_id, stage.services)
    assert len(stage.record(deliberation_id).comparisons()) == 4
    conclude_deliberation(deliberation_id, stage.services)
    record = stage.record(deliberation_id)
    assert {entry.missing for entry in record.comparisons()} == {None}
    assert len(asked(stage)) == 8
    assert replays(record)


def test_an_architect_is_left_alone_where_comparisons_decide() -> None:
    stage = Stage(council("DEV", architect=agent("arch")), policy=LOOK)
    preferring(stage, 2)
    record = stage.play()
    assert record.architect is None
    assert decision_of(record).decided_by == "second look"


def test_a_store_that_lost_it_finds_the_comparisons_in_the_event() -> None:
    stage = Stage(council("DEV"), policy=LOOK)
    preferring(stage, 3)
    record = stage.play()
    told = {entry.key: entry for entry in entries_as_told(decision_of(record))}
    for entry in record.comparisons():
        assert told[entry.key].model_dump(exclude={"at", "engine"}) == entry.model_dump(exclude={"at", "engine"})
