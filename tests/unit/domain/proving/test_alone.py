"""One agent with a council's tokens: how often it samples, and what it takes."""

from __future__ import annotations

import pytest

from domain.chat import ChatFailure, ChatRequest, FailureReason, Usage
from domain.deliberation import ReviewRules
from domain.policy import Policy
from domain.proving.alone import MOST_SAMPLES, NoSample, answer_alone, samples_for
from domain.proving.tokens import total
from domain.record import Record
from tests.support.factories import council
from tests.support.in_memory.clock import MemoryClock
from tests.support.scripted_model import ScriptedModel, answer, failure
from tests.support.stage import Stage


@pytest.fixture(params=["listwise", "pointwise"])
def record(request: pytest.FixtureRequest) -> Record:
    """A decided deliberation of five agents that have seeds."""
    review = ReviewRules(ballots=request.param)
    return Stage(council("DEV", size=5), policy=Policy(model="tiny", review=review)).play()


def test_it_spends_what_the_council_spent_and_takes_what_it_likes_best(record: Record) -> None:
    model = ScriptedModel()

    def script(request: ChatRequest, before: int) -> object:
        # The sample of the third seed is the longest, which the scripted reviewer likes.
        return None if request.form else answer(request, f"{request.seed} " * (30 if request.seed == 3001 else 20))

    model.follow(script)  # type: ignore[arg-type]
    found = answer_alone(record, model=model, clock=MemoryClock(), policy=Policy())
    assert found.samples > 3
    assert found.best == ("3001 " * 30,)
    assert found.tokens <= total(record.usage)
    texts = [request for request in model.requests if request.form is None]
    assert len({request.seed for request in texts}) == len(texts) == found.samples
    assert {request.messages for request in texts} == {texts[0].messages}


def test_an_agent_that_never_answers_says_why(record: Record) -> None:
    model = ScriptedModel()
    model.follow(lambda request, before: failure(request, FailureReason.UNREACHABLE))
    with pytest.raises(NoSample, match="scripted unreachable"):
        answer_alone(record, model=model, clock=MemoryClock(), policy=Policy())


def test_samples_that_fail_are_left_out_and_missing_ballots_take_nothing(record: Record) -> None:
    model = ScriptedModel()

    def script(request: ChatRequest, before: int) -> ChatFailure | None:
        lost = request.form is not None or request.key == "sample/02"
        return failure(request, FailureReason.TIMEOUT) if lost else None

    model.follow(script)
    found = answer_alone(record, model=model, clock=MemoryClock(), policy=Policy())
    asked = sum(request.form is None for request in model.requests)
    assert found.samples == len(found.best) == asked - 1


def test_the_tokens_decide_how_many_samples_there_are(record: Record) -> None:
    tokens, calls = total(record.usage), sum(ballot.calls for ballot in record.ballots())
    a_call = sum(total(ballot.usage) for ballot in record.ballots()) // calls
    pointwise = record.deliberation.review.ballots == "pointwise"

    def cost(many: int, prompt: int, text: int) -> int:
        if pointwise:  # each of its answers is read alone, once
            return many * (prompt + text) + many * (max(prompt, a_call - text) + text)
        sheet = max(prompt, a_call - len(record.proposals(0)) * text)
        return many * (prompt + text) + 2 * (sheet + many * text)

    for prompt, text in ((100, 50), (10, 5), (400, 100), (10**6, 10**6)):
        count = samples_for(record, Usage(prompt_tokens=prompt, completion_tokens=text))
        costs = [cost(many, prompt, text) for many in (count, count + 1)]
        assert count == 1 or costs[0] <= tokens
        assert count == MOST_SAMPLES or costs[1] > tokens


def test_an_engine_that_counts_nothing_leads_to_a_bounded_number(record: Record) -> None:
    assert 1 <= samples_for(record, Usage()) <= MOST_SAMPLES
