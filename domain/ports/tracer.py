"""Spans of a trace; W3C trace context (`traceparent`) is how they are named across processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

NOTHING: Mapping[str, str] = {}
_current: ContextVar[str] = ContextVar("traceparent", default="")


class Span(Protocol):
    """One piece of work that has begun."""

    @property
    def traceparent(self) -> str:
        """What names this span to those it causes; empty where nobody traces and nothing came in."""
        ...

    def end(self, error: str = "") -> None:
        """End it now, as failed where an error is given. A second call does nothing."""
        ...


class Tracer(Protocol):
    """Begins spans; never raises for a malformed `traceparent`, which counts as none."""

    def start(
        self, name: str, *, parent: str = "", links: Sequence[str] = (), attributes: Mapping[str, str] = NOTHING
    ) -> Span:
        """Begin a span below `parent`, or a new trace where that is empty; `links` name what else led to it."""
        ...


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
