"""The Tracer port over OpenTelemetry, exporting by OTLP over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from domain.ports.tracer import Attributes

_W3C = TraceContextTextMapPropagator()
EXPORT_EVERY_MS = 1000


def over_http(endpoint: str) -> SpanExporter:
    """Return an exporter to a collector's base URL; spans go to its `/v1/traces`."""
    return OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")


class OtelSpan:
    """A span of the SDK."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._ended = False

    @property
    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, trace.set_span_in_context(self._span))
        return carrier.get("traceparent", "")

    def end(self, error: str = "", *, attributes: Attributes | None = None) -> None:
        if self._ended:
            return
        self._ended = True
        self._span.set_attributes(dict(attributes or {}))
        if error:
            self._span.set_status(Status(StatusCode.ERROR, error))
        self._span.end()


class OtelTracer:
    """Tracer over a provider of its own; one object a process, made after the fork (it has a thread)."""

    def __init__(self, exporter: SpanExporter, *, service: str) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_EVERY_MS))
        self._tracer = self._provider.get_tracer("conclave")

    def start(
        self,
        name: str,
        *,
        parent: str = "",
        links: Sequence[str] = (),
        attributes: Attributes | None = None,
        client: bool = False,
    ) -> OtelSpan:
        root = trace.set_span_in_context(trace.INVALID_SPAN)
        span = self._tracer.start_span(
            name,
            context=_W3C.extract({"traceparent": parent}) if parent else root,
            links=[Link(context) for link in links if (context := _span_context(link)).is_valid],
            attributes=dict(attributes or {}),
            kind=SpanKind.CLIENT if client else SpanKind.INTERNAL,
        )
        return OtelSpan(span)


def _span_context(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(_W3C.extract({"traceparent": traceparent})).get_span_context()
