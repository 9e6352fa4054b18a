"""Tracing without a network: parents, links, and silence."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from domain.chat import ChatRequest, FailureReason, Message
from domain.plan import PlanRequest
from domain.spans import current_traceparent, spanning
from tests.support.factories import plan_request
from tests.support.in_memory.dispatcher import MemoryDispatcher
from tests.support.scripted_model import Script, ScriptedModel, answer, failure
from workers.tracing.chosen import tracer_for
from workers.tracing.dispatcher import TracedDispatcher
from workers.tracing.model import TracedChatModel
from workers.tracing.otel import OtelTracer
from workers.tracing.silent import SilentTracer

INCOMING = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def accepted(request: PlanRequest) -> PlanRequest:
    queue = MemoryDispatcher()
    TracedDispatcher(queue, OtelTracer(InMemorySpanExporter(), service="test")).plans([request])
    return queue.requests[0]


def test_a_first_delivery_continues_the_publisher_s_trace() -> None:
    traceparent = accepted(plan_request(traceparent=INCOMING)).traceparent
    assert traceparent.split("-")[1] == INCOMING.split("-")[1]
    assert traceparent != INCOMING


def test_a_redelivery_begins_a_trace_of_its_own() -> None:
    traceparent = accepted(plan_request(traceparent=INCOMING, redelivered=True)).traceparent
    assert traceparent.split("-")[1] != INCOMING.split("-")[1]


@pytest.mark.parametrize("nonsense", ["", "x", "00-zz-zz-00", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_malformed_context_counts_as_none(nonsense: str) -> None:
    assert len(accepted(plan_request(traceparent=nonsense)).traceparent.split("-")[1]) == 32


def test_silence_passes_on_what_came_in() -> None:
    assert isinstance(tracer_for("", service="test"), SilentTracer)
    with spanning(SilentTracer().start("step", parent=INCOMING)):
        assert current_traceparent() == INCOMING
    assert current_traceparent() == ""


CONVENTIONS_1_37 = {
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.request.max_tokens",
    "gen_ai.request.temperature",
    "gen_ai.request.seed",
    "gen_ai.output.type",
    "gen_ai.conversation.id",
    "gen_ai.response.model",
    "gen_ai.response.finish_reasons",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
}
"""OpenTelemetry's `gen_ai` conventions 1.37.0, inference span: what our calls can say without any text."""
LATER = {"gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.reasoning.output_tokens", "gen_ai.agent.name"}
"""Of later versions, and of agents' spans."""
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


def traced(script: Script) -> ReadableSpan:
    """Return the span of one call within a deliberation."""
    exporter, model = InMemorySpanExporter(), ScriptedModel()
    model.follow(script)
    tracer = OtelTracer(exporter, service="test")
    with spanning(SilentTracer().start("step", parent=INCOMING), conversation="d-1"):
        list(TracedChatModel(model, tracer).ask([SAID]))
    tracer._provider.force_flush()
    (span,) = exporter.get_finished_spans()
    return span


def test_a_call_s_span_holds_what_the_conventions_name() -> None:
    span = traced(lambda request, before: answer(request, "A step."))
    said = dict(span.attributes or {})
    assert said.keys() >= CONVENTIONS_1_37 | LATER
    assert {name for name in said if name.startswith("gen_ai.")} == CONVENTIONS_1_37 | LATER
    assert (span.name, span.kind) == ("chat tiny", SpanKind.CLIENT)
    assert (said["gen_ai.conversation.id"], said["gen_ai.agent.name"]) == ("d-1", "agent-1")
    assert (said["gen_ai.request.max_tokens"], said["gen_ai.request.seed"]) == (64, 3)
    assert said["gen_ai.response.finish_reasons"] == ("stop",)
    assert "secret" not in str(said)


def test_a_failed_call_s_span_says_what_kind_of_error() -> None:
    span = traced(lambda request, before: failure(request, FailureReason.TIMEOUT))
    assert (span.attributes or {})["error.type"] == "timeout"
    assert span.status.status_code is StatusCode.ERROR
