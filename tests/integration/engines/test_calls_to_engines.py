"""Which engine is called, how many calls at once, and over which connections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, ChatRequest, FailureReason, Message, ScoreForm
from domain.engine import Dialect, EngineKind, EngineRecord, Guidance
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.scripted_engine import ScriptedEngine
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.engines.kinds import ENGINES
from workers.portal import Portal
from workers.processes.ports import free_port


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.close()


@pytest.fixture
def directory() -> MemoryEngineDirectory:
    return MemoryEngineDirectory(clock=SystemClock())


@pytest.fixture
def engines() -> Iterator[list[ScriptedEngine]]:
    with ExitStack() as stack:
        yield [stack.enter_context(ScriptedEngine("scripted", latency_s=0.1)) for _ in range(2)]


def record_of(engine: ScriptedEngine, name: str, **more: object) -> EngineRecord:
    known = {"name": name, "model": engine.model, "url": engine.openai_url, "kind": EngineKind.VLLM}
    record = EngineRecord.model_validate({**known, "guidance": Guidance.REGEX, "context_length": 8192, **more})
    return record if "guidance" in more else record.model_copy(update={"guidance": ENGINES[record.kind].guidance})


def asking(key: str = "one", words: int = 5, **more: object) -> ChatRequest:
    message = Message(role="user", content=f"{key} " + "word " * words)
    known = {"key": key, "model": "scripted", "messages": (message,), "max_tokens": 16, "timeout_s": 10.0}
    return ChatRequest.model_validate({**known, **more})


def answers(outcomes: Iterator[ChatOutcome]) -> list[ChatAnswer]:
    found = list(outcomes)
    assert all(isinstance(outcome, ChatAnswer) for outcome in found), found
    return [outcome for outcome in found if isinstance(outcome, ChatAnswer)]


def test_the_workers_own_engine_goes_before_all_others(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    own, other = record_of(engines[0], "own", in_flight=50), record_of(engines[1], "other")
    directory.publish(other, ttl_s=600)
    model = OpenAIChatModel(directory, portal, own=lambda: own)
    assert {answer.engine for answer in answers(model.ask([asking(str(n)) for n in range(4)]))} == {"own"}


def test_while_the_own_engine_cannot_serve_another_one_does(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    directory.publish(record_of(engines[1], "other"), ttl_s=600)
    model = OpenAIChatModel(directory, portal, own=lambda: None)
    assert answers(model.ask([asking()]))[0].engine == "other"


def test_calls_spread_over_the_engines_of_a_model(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    for number, engine in enumerate(engines):
        directory.publish(record_of(engine, f"engine-{number}", slots=4), ttl_s=600)
    model = OpenAIChatModel(directory, portal)
    answers(model.ask([asking(str(n)) for n in range(8)]))
    assert [len(engine.bodies) for engine in engines] == [4, 4]


def test_a_call_that_one_engine_is_too_busy_for_goes_to_another(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    engines[0].faults_by_share({"503": 1.0})
    for number, engine in enumerate(engines):
        directory.publish(record_of(engine, f"engine-{number}"), ttl_s=600)
    assert answers(OpenAIChatModel(directory, portal).ask([asking()]))[0].engine == "engine-1"


def test_no_more_calls_are_in_flight_than_the_engine_has_slots(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    directory.publish(record_of(engines[0], "engine", slots=3), ttl_s=600)
    answers(OpenAIChatModel(directory, portal).ask([asking(str(n)) for n in range(12)]))
    assert engines[0].max_in_flight == 3


def test_a_setting_narrows_the_calls_in_flight(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    directory.publish(record_of(engines[0], "engine", slots=8), ttl_s=600)
    answers(OpenAIChatModel(directory, portal, max_in_flight=2).ask([asking(str(n)) for n in range(6)]))
    assert engines[0].max_in_flight == 2


def test_a_call_that_gets_no_slot_in_its_time_met_a_busy_engine(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    engines[0].fault("hang")
    directory.publish(record_of(engines[0], "engine", slots=1), ttl_s=600)
    outcomes = list(
        OpenAIChatModel(directory, portal).ask([asking("a", timeout_s=4.0), asking("b", timeout_s=1.0)])
    )
    reasons = {outcome.key: outcome.reason for outcome in outcomes if isinstance(outcome, ChatFailure)}
    assert reasons == {"a": FailureReason.TIMEOUT, "b": FailureReason.BUSY}


def test_connections_are_kept_and_used_again(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    directory.publish(record_of(engines[0], "engine", slots=2), ttl_s=600)
    model = OpenAIChatModel(directory, portal)
    for _ in range(5):
        answers(model.ask([asking("a"), asking("b")]))
    assert len(engines[0].script.connections) == 2


def test_a_prompt_is_counted_only_when_its_bytes_alone_could_not_fit(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    directory.publish(record_of(engines[0], "engine", context_length=2000), ttl_s=600)
    model = OpenAIChatModel(directory, portal)
    answers(model.ask([asking("short")]))
    assert engines[0].script.counted == 0
    answers(model.ask([asking("bytes too many, words not", words=1500)]))
    assert engines[0].script.counted == 1


def test_an_engine_that_cannot_count_is_called_anyway_and_its_refusal_has_its_reason(
    portal: Portal, directory: MemoryEngineDirectory
) -> None:
    with ScriptedEngine("scripted", latency_s=0, context_length=100) as engine:
        directory.publish(record_of(engine, "engine", kind=EngineKind.EXTERNAL, context_length=0), ttl_s=600)
        (outcome,) = OpenAIChatModel(directory, portal).ask([asking(words=200)])
    assert isinstance(outcome, ChatFailure)
    assert outcome.reason is FailureReason.CONTEXT_EXCEEDED


def test_a_forced_guidance_goes_before_the_kinds_own(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    record = record_of(engines[0], "engine", kind=EngineKind.EXTERNAL, guidance=Guidance.REGEX)
    directory.publish(record, ttl_s=600)
    answers(OpenAIChatModel(directory, portal).ask([asking(form=ScoreForm(lines=("A fit", "A clarity")))]))
    assert engines[0].bodies[0]["structured_outputs"] == {"regex": r"A fit: [1-9]\nA clarity: [1-9]"}


def test_what_requests_share_reaches_the_engine_byte_for_byte(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    shared = Message(role="system", content="Größe \u2028 und\tTabs  bleiben\r\n")
    asked = [
        asking(key, messages=(shared, Message(role="user", content=f"only {key} differs"))) for key in ("a", "b")
    ]
    directory.publish(record_of(engines[0], "engine"), ttl_s=600)
    answers(OpenAIChatModel(directory, portal).ask(asked))
    first, second = (body["messages"] for body in engines[0].bodies)
    assert first[0] == second[0] == {"role": "system", "content": shared.content}
    assert json.dumps(first) != json.dumps(second)


def test_the_engines_key_goes_with_every_call(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    directory.publish(record_of(engines[0], "engine"), ttl_s=600)
    answers(OpenAIChatModel(directory, portal, api_key=lambda record: f"key of {record.name}").ask([asking()]))
    assert engines[0].script.keys == {"Bearer key of engine"}


def test_an_observer_receives_every_outcome(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    observed: list[ChatOutcome] = []
    engines[0].fault("500")
    directory.publish(record_of(engines[0], "engine"), ttl_s=600)
    outcomes = list(OpenAIChatModel(directory, portal, observe=observed.append).ask([asking("a"), asking("b")]))
    assert sorted(observed, key=lambda outcome: outcome.key) == sorted(outcomes, key=lambda outcome: outcome.key)


def test_only_calls_that_leave_our_machines_take_the_environments_proxy(
    portal: Portal,
    directory: MemoryEngineDirectory,
    engines: list[ScriptedEngine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    directory.publish(record_of(engines[0], "ours"), ttl_s=600)
    answers(OpenAIChatModel(directory, portal).ask([asking()]))
    directory.publish(record_of(engines[0], "ours", kind=EngineKind.EXTERNAL), ttl_s=600)
    (outcome,) = OpenAIChatModel(directory, portal).ask([asking()])
    assert isinstance(outcome, ChatFailure)
    assert outcome.reason is FailureReason.UNREACHABLE


def test_an_outcome_tells_where_its_call_went_and_what_was_sent(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    record = record_of(engines[0], "engine")
    directory.publish(
        record.model_copy(
            update={
                "dialect": Dialect(omit=("seed",), extra_body={"top_p": 0.9}, tokens_field="max_completion_tokens")
            }
        ),
        ttl_s=600,
    )
    (answer,) = answers(OpenAIChatModel(directory, portal).ask([asking(seed=3, temperature=0.5)]))
    assert answer.exchange.url == engines[0].openai_url
    assert answer.exchange.parameters == {"max_completion_tokens": 16, "temperature": 0.5, "top_p": 0.9}
    assert answer.exchange.response_id.startswith("chatcmpl-")
    assert (answer.exchange.model, answer.exchange.finish_reason) == ("scripted", "stop")


def test_a_failure_tells_where_its_call_went_and_what_it_cost(
    portal: Portal, directory: MemoryEngineDirectory, engines: list[ScriptedEngine]
) -> None:
    directory.publish(record_of(engines[0], "engine"), ttl_s=600)
    engines[0].fault("empty")
    (failure,) = OpenAIChatModel(directory, portal).ask([asking()])
    assert isinstance(failure, ChatFailure)
    assert failure.reason is FailureReason.EMPTY
    assert (failure.exchange.url, failure.exchange.finish_reason) == (engines[0].openai_url, "stop")
    assert failure.exchange.usage.prompt_tokens > 0
