"""Tracing without a network: parents, links, and silence."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from domain.plan import PlanRequest
from domain.spans import current_traceparent, spanning
from tests.support.factories import plan_request
from tests.support.in_memory.dispatcher import MemoryDispatcher
from workers.tracing.chosen import tracer_for
from workers.tracing.dispatcher import TracedDispatcher
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
