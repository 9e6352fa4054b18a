"""The span that encloses the code that runs now; W3C `traceparent` names it across processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from domain.ports.tracer import Span

_current: ContextVar[str] = ContextVar("traceparent", default="")

_conversation: ContextVar[str] = ContextVar("conversation", default="")


def current_conversation() -> str:
    """Return the id of the deliberation that the caller works on; empty outside any."""
    return _conversation.get()


def current_traceparent() -> str:
    """Return the traceparent of the span that encloses the caller; empty outside any."""
    return _current.get()


@contextmanager
def spanning(span: Span, *, conversation: str = "") -> Iterator[None]:
    """Enclose a block in a span that has begun, and end it with the block; `conversation`: a deliberation's id."""
    token, before = _current.set(span.traceparent), _conversation.set(conversation)
    try:
        yield
    except BaseException as error:
        span.end(type(error).__name__)
        raise
    finally:
        _current.reset(token)
        _conversation.reset(before)
        span.end()
