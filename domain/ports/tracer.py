"""Spans of a trace; W3C trace context (`traceparent`) is how they are named across processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

Attributes = Mapping[str, str | int | float | Sequence[str]]
"""What is said of a span, by name."""


class Span(Protocol):
    """A piece of work that has begun."""

    @property
    def traceparent(self) -> str:
        """What names this span to those it causes; empty where tracing is off and nothing came in."""
        ...

    def end(self, error: str = "", *, attributes: Attributes | None = None) -> None:
        """End it now, as failed where an error is given, with what became known. A second call does nothing."""
        ...


class Tracer(Protocol):
    """Begins spans; never raises for a malformed `traceparent`, which counts as none."""

    def start(
        self,
        name: str,
        *,
        parent: str = "",
        links: Sequence[str] = (),
        attributes: Attributes | None = None,
        client: bool = False,
    ) -> Span:
        """Begin a span below `parent`, or a new trace where that is empty; `links` name what else led to it.

        `client`: it is a call to another system.
        """
        ...
