"""What every ChatModel does with requests, whatever the kind of engine, good days and bad."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, ChatRequest, FailureReason, Message, ScoreForm
from domain.engine import EngineKind, EngineRecord
from domain.ports.chat_model import ChatModel
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.scripted_engine import ScriptedEngine
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.engines.kinds import ENGINES
from workers.portal import Portal

FORM = ScoreForm(lines=("A", "B"))
LONG = (Message(role="user", content="word " * 9000),)


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.close()


@pytest.fixture
def engine() -> Iterator[ScriptedEngine]:
    with ScriptedEngine("scripted", latency_s=0.02) as engine:
        yield engine


def record_of(engine: ScriptedEngine, kind: EngineKind = EngineKind.VLLM, **more: object) -> EngineRecord:
    known: dict[str, object] = {"name": "engine-1", "model": engine.model, "url": engine.openai_url}
    known |= {"kind": kind, "guidance": ENGINES[kind].guidance, "context_length": 8192}
    return EngineRecord.model_validate({**known, **more})


@pytest.fixture(params=list(EngineKind))
def model(request: pytest.FixtureRequest, portal: Portal, engine: ScriptedEngine) -> ChatModel:
    directory = MemoryEngineDirectory(clock=SystemClock())
    directory.publish(record_of(engine, request.param), ttl_s=600)
    return OpenAIChatModel(directory, portal)


def asking(key: str = "one", **more: object) -> ChatRequest:
    known = {
        "key": key,
        "model": "scripted",
        "messages": (Message(role="user", content=f"what about {key}?"),),
        "max_tokens": 64,
        "timeout_s": 10.0,
    }
    return ChatRequest.model_validate({**known, **more})


def only(outcomes: Iterator[ChatOutcome]) -> ChatOutcome:
    (outcome,) = outcomes
    return outcome


def failure(outcomes: Iterator[ChatOutcome]) -> ChatFailure:
    outcome = only(outcomes)
    assert isinstance(outcome, ChatFailure)
    return outcome


def until(condition: Callable[[], bool], within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_an_answer_says_who_gave_it_and_what_it_cost(model: ChatModel) -> None:
    answer = only(model.ask([asking()]))
    assert isinstance(answer, ChatAnswer)
    assert (answer.key, answer.model, answer.engine, answer.cut_off) == ("one", "scripted", "engine-1", False)
    assert answer.text.startswith("Proposal ")
    assert answer.prompt_tokens == 3
    assert answer.completion_tokens > 0
    assert answer.duration_ms > 0


def test_no_request_gives_no_outcome(model: ChatModel) -> None:
    assert list(model.ask([])) == []


def test_all_requests_are_in_flight_together_and_each_has_one_outcome(
    model: ChatModel, engine: ScriptedEngine
) -> None:
    keys = [f"request-{number}" for number in range(12)]
    engine.script.latency_s = 0.3
    outcomes = list(model.ask([asking(key) for key in keys]))
    assert sorted(outcome.key for outcome in outcomes) == sorted(keys)
    assert engine.max_in_flight == 12


def test_outcomes_come_as_they_are_ready_not_as_they_were_asked(model: ChatModel, engine: ScriptedEngine) -> None:
    engine.script.hangs = lambda body: "hangs" in str(body["messages"])
    outcomes = model.ask([asking("hangs", timeout_s=0.8), asking("answers")])
    assert [outcome.key for outcome in outcomes] == ["answers", "hangs"]


def test_a_form_comes_back_as_compact_text(model: ChatModel, engine: ScriptedEngine) -> None:
    engine.script.scores = lambda body: iter([7, 8])
    answer = only(model.ask([asking(form=FORM)]))
    assert isinstance(answer, ChatAnswer)
    assert answer.text == "A: 7\nB: 8"


def test_an_answer_off_form_is_handed_on_for_the_asker_to_judge(model: ChatModel, engine: ScriptedEngine) -> None:
    engine.fault("off_form")
    answer = only(model.ask([asking(form=FORM)]))
    assert isinstance(answer, ChatAnswer)
    assert answer.text == "I would rather not give numbers."


def test_an_answer_that_ends_at_max_tokens_is_marked(model: ChatModel, engine: ScriptedEngine) -> None:
    engine.fault("length")
    answer = only(model.ask([asking()]))
    assert isinstance(answer, ChatAnswer)
    assert answer.cut_off


@pytest.mark.parametrize("fault", ["503", "429"])
def test_a_busy_engine_is_waited_for(model: ChatModel, engine: ScriptedEngine, fault: str) -> None:
    engine.fault(fault, fault, fault)
    assert isinstance(only(model.ask([asking()])), ChatAnswer)
    assert len(engine.bodies) == 4


def test_an_engine_busy_for_the_whole_time_is_a_failure_that_passes(
    model: ChatModel, engine: ScriptedEngine
) -> None:
    engine.faults_by_share({"503": 1.0})
    failed = failure(model.ask([asking(timeout_s=15.0)]))  # long enough for a slow machine's first answer
    assert failed.reason is FailureReason.BUSY
    assert failed.reason.passing
    assert failed.engine == "engine-1"
    assert "15 s" in failed.detail


def test_a_call_that_was_turned_away_before_it_hung_met_a_busy_engine(
    model: ChatModel, engine: ScriptedEngine
) -> None:
    engine.fault("503", "hang")
    failed = failure(model.ask([asking(timeout_s=15.0)]))
    assert len(engine.bodies) == 2
    assert failed.reason is FailureReason.BUSY


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("500", FailureReason.UNREACHABLE),
        ("disconnect", FailureReason.UNREACHABLE),
        ("400", FailureReason.REFUSED),
        ("garbage", FailureReason.MALFORMED),
        ("empty", FailureReason.EMPTY),
    ],
)
def test_any_other_failure_is_told_at_once_and_never_tried_again(
    model: ChatModel, engine: ScriptedEngine, fault: str, reason: FailureReason
) -> None:
    engine.fault(fault)
    failed = failure(model.ask([asking()]))
    assert (failed.reason, failed.key) == (reason, "one")
    assert len(engine.bodies) == 1


def test_no_answer_in_time_is_a_timeout_and_the_engine_is_let_go(model: ChatModel, engine: ScriptedEngine) -> None:
    engine.fault("hang")
    assert failure(model.ask([asking(timeout_s=0.3)])).reason is FailureReason.TIMEOUT
    assert until(lambda: engine.script.cancelled == 1)


def test_one_failure_leaves_the_other_requests_alone(model: ChatModel, engine: ScriptedEngine) -> None:
    engine.fault("500")
    outcomes = list(model.ask([asking(f"request-{number}") for number in range(5)]))
    assert sum(isinstance(outcome, ChatAnswer) for outcome in outcomes) == 4


def test_a_model_without_an_engine_is_named_along_with_those_that_have_one(model: ChatModel) -> None:
    failed = failure(model.ask([asking(model="Qwen/Qwen3-0.6B")]))
    assert failed.reason is FailureReason.NOT_SERVED
    assert failed.detail == "no live engine serves Qwen/Qwen3-0.6B; served now: scripted (1)"


def test_an_engine_that_is_gone_is_unreachable(model: ChatModel, engine: ScriptedEngine) -> None:
    engine.stop()
    assert failure(model.ask([asking()])).reason is FailureReason.UNREACHABLE


def test_leaving_early_cancels_what_still_runs(model: ChatModel, engine: ScriptedEngine) -> None:
    engine.fault("ok", "hang", "hang")
    outcomes = model.ask([asking(f"request-{number}") for number in range(3)])
    next(outcomes)
    del outcomes
    assert until(lambda: engine.script.cancelled == 2)


def test_a_prompt_longer_than_the_context_is_refused_with_the_number(
    model: ChatModel, engine: ScriptedEngine
) -> None:
    failed = failure(model.ask([asking(messages=LONG)]))
    assert failed.reason is FailureReason.CONTEXT_EXCEEDED
    assert "8192" in failed.detail


@pytest.mark.parametrize("kind", [EngineKind.VLLM, EngineKind.LLAMA_CPP])
def test_what_an_engine_counts_as_too_long_is_not_sent(
    portal: Portal, engine: ScriptedEngine, kind: EngineKind
) -> None:
    directory = MemoryEngineDirectory(clock=SystemClock())
    directory.publish(record_of(engine, kind), ttl_s=600)
    failed = failure(OpenAIChatModel(directory, portal).ask([asking(messages=LONG)]))
    assert failed.detail == (
        "9000 tokens of prompt and 64 of answer exceed the context of 8192 that engine-1 serves scripted with"
    )
    assert engine.bodies == []


def test_no_guess_refuses_a_prompt_that_fits(model: ChatModel, engine: ScriptedEngine) -> None:
    fits = (Message(role="user", content="longwordswhich" * 1_000 + " word" * 5_000),)
    assert isinstance(only(model.ask([asking(messages=fits)])), ChatAnswer)


def test_no_detail_quotes_the_prompt(model: ChatModel, engine: ScriptedEngine) -> None:
    secret = (Message(role="user", content="the launch code is 4711 " * 2000),)
    assert "4711" not in failure(model.ask([asking(messages=secret)])).detail
