"""Which tracer a process uses."""

from __future__ import annotations

from domain.ports.tracer import Tracer
from workers.errors import Unavailable
from workers.tracing.silent import SilentTracer


class TracingUnavailable(Unavailable):
    """Tracing is configured and its libraries are missing; the message says what to install."""


def tracer_for(endpoint: str, *, service: str) -> Tracer:
    """Return a tracer that exports to the endpoint, a silent one where that is empty.

    Raises TracingUnavailable if the extra is not installed.
    """
    if not endpoint:
        return SilentTracer()
    try:
        from workers.tracing.otel import OtelTracer, over_http
    except ImportError as error:
        missing = error.name or "opentelemetry"
        raise TracingUnavailable(
            f"CONCLAVE_OTLP_ENDPOINT needs {missing}: install the extra `otel` of conclave-council"
        ) from error
    return OtelTracer(over_http(endpoint), service=service)
