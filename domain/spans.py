"""The span that encloses the code that runs now; W3C `traceparent` names it across processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from domain.ports.tracer import Span

_current: ContextVar[str] = ContextVar("traceparent", default="")


def current_traceparent() -> str:
    """Return the traceparent of the span that encloses the caller; empty outside any."""
    return _current.get()


@contextmanager
def spanning(span: Span) -> Iterator[None]:
    """Enclose a block in a span that has begun, and end it with the block."""
    token = _current.set(span.traceparent)
    try:
        yield
    except BaseException as error:
        span.end(type(error).__name__)
        raise
    finally:
        _current.reset(token)
        span.end()
