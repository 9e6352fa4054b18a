"""A model call's span against what OpenTelemetry's conventions name, and what Langfuse and Phoenix read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from domain.chat import ChatOutcome, ChatRequest, Exchange, FailureReason, Message, Usage
from domain.spans import spanning
from tests.support.gen_ai_conventions import CHAT, LANGFUSE, OF_AGENTS, PHOENIX, Convention
from tests.support.scripted_model import Script, ScriptedModel, answer, failure
from workers.tracing.model import TracedChatModel
from workers.tracing.otel import OtelTracer
from workers.tracing.silent import SilentTracer

SAID = ChatRequest(
    key="proposal/0/agent-1",
    model="tiny",
    agent_id="agent-1",
    messages=(Message(role="user", content="secret"),),
    max_tokens=64,
    temperature=0.5,
    seed=3,
    timeout_s=5.0,
)
SENT: dict[str, Any] = {
    "max_tokens": 164,
    "temperature": 0.5,
    "seed": 3,
    "top_p": 0.9,
    "top_k": 40,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.2,
    "stop": ["###"],
    "n": 2,
    "reasoning_effort": "low",
}
"""A request with everything that the conventions have a name for, most of it from an engine's `extra_body`."""
EXCHANGE = Exchange(
    url="https://user:password@engine.example/v1",
    parameters=SENT,
    response_id="chatcmpl-7",
    model="tiny-2026-01",
    finish_reason="stop",
    usage=Usage(prompt_tokens=9, completion_tokens=4),
)
OURS = ("gen_ai.", "server.", "error.")


def traced(script: Script) -> ReadableSpan:
    """Return the span of one call within a deliberation."""
    exporter, model = InMemorySpanExporter(), ScriptedModel()
    model.follow(script)
    tracer = OtelTracer(exporter, service="test")
    with spanning(SilentTracer().start("step"), conversation="d-1"):
        list(TracedChatModel(model, tracer).ask([SAID]))
    tracer._provider.force_flush()
    (span,) = exporter.get_finished_spans()
    return span


def answered(exchange: Exchange = EXCHANGE, **changes: object) -> Mapping[str, Any]:
    return dict(
        traced(lambda request, before: answer(request, "A step.", exchange=exchange, **changes)).attributes or {}
    )


def failed(exchange: Exchange = EXCHANGE) -> ReadableSpan:
    def script(request: ChatRequest, before: int) -> ChatOutcome:
        return failure(request, FailureReason.REFUSED).model_copy(update={"exchange": exchange})

    return traced(script)


EVERYTHING = answered().keys() | dict(failed().attributes or {}).keys()


@pytest.mark.parametrize("convention", CHAT + OF_AGENTS, ids=lambda convention: convention.name)
def test_each_attribute_of_the_conventions_is_there_or_has_a_reason_why_not(convention: Convention) -> None:
    assert (convention.name in EVERYTHING) is not bool(convention.missing)
    assert convention.level != "required" or not convention.missing


def test_the_span_says_nothing_under_the_conventions_names_that_they_do_not_know() -> None:
    assert {name for name in EVERYTHING if name.startswith(OURS)} <= {row.name for row in CHAT + OF_AGENTS}


@pytest.mark.parametrize("reader", [LANGFUSE, PHOENIX], ids=["Langfuse", "Phoenix"])
def test_whatever_a_reader_shows_it_finds(reader: Mapping[str, tuple[str, ...]]) -> None:
    assert {name for names in reader.values() for name in names} <= EVERYTHING


def test_a_span_tells_what_was_sent_where_and_what_came_back() -> None:
    told = answered(prompt_tokens=100, completion_tokens=40, cached_tokens=16, reasoning_tokens=8)
    assert {name: value for name, value in told.items() if name.startswith(OURS)} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.agent.name": "agent-1",
        "gen_ai.conversation.id": "d-1",
        "gen_ai.prompt.name": "proposal",
        "gen_ai.output.type": "text",
        "gen_ai.request.model": "tiny",
        "gen_ai.request.max_tokens": 164,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.seed": 3,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 40,
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": 0.2,
        "gen_ai.request.stop_sequences": ("###",),
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.response.id": "chatcmpl-7",
        "gen_ai.response.model": "tiny-2026-01",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 40,
        "gen_ai.usage.cache_read.input_tokens": 16,
        "gen_ai.usage.reasoning.output_tokens": 8,
        "server.address": "engine.example",
        "server.port": 443,
    }
    assert "secret" not in str(told)
    assert "password" not in str(told)


def test_a_call_is_a_client_s_span_named_after_its_model() -> None:
    span = traced(lambda request, before: answer(request, "A step."))
    assert (span.name, span.kind, span.status.status_code) == ("chat tiny", SpanKind.CLIENT, StatusCode.UNSET)


def test_a_failed_call_tells_its_error_and_what_its_answer_cost() -> None:
    span = failed(EXCHANGE.model_copy(update={"finish_reason": "content_filter"}))
    told = dict(span.attributes or {})
    assert span.status.status_code is StatusCode.ERROR
    assert told["error.type"] == "refused"
    assert told["gen_ai.response.finish_reasons"] == ("content_filter",)
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (9, 4)


def test_a_call_that_never_reached_an_engine_says_so_and_invents_nothing() -> None:
    told = dict(failed(Exchange()).attributes or {})
    assert told["gen_ai.response.finish_reasons"] == ("error",)
    assert not {name for name in told if name.startswith(("server.", "gen_ai.usage.", "gen_ai.response.id"))}


def test_scores_asked_for_in_json_are_json() -> None:
    sent = SENT | {"response_format": {"type": "json_schema"}}
    assert answered(EXCHANGE.model_copy(update={"parameters": sent}))["gen_ai.output.type"] == "json"


@pytest.mark.parametrize(
    "odd", [{"top_p": "high"}, {"stop": 3}, {"stop": ["a", 1]}, {"n": True}, {"reasoning_effort": {}}]
)
def test_a_parameter_of_an_unknown_type_is_left_out(odd: dict[str, Any]) -> None:
    told = answered(EXCHANGE.model_copy(update={"parameters": odd}))
    assert {name for name in told if name.startswith("gen_ai.request.")} == {"gen_ai.request.model"}
