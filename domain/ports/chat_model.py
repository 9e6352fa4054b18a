"""The models, as the domain sees them: requests in, answers or failures out, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from domain.chat import ChatOutcome, ChatRequest


class ChatModel(Protocol):
    """Calls models, wherever they are served."""

    def ask(self, requests: Sequence[ChatRequest]) -> Iterator[ChatOutcome]:
        """Start all requests at once and yield each outcome as it comes, one per request, in any order.

        Never raises for a request's fate: that is a `ChatFailure`. A busy engine (429, 503) is waited for
        with back-off inside the request's `timeout_s`. Nothing else is retried. Closing the iterator early
        cancels what still runs.
        """
        ...


class Gathered(Protocol):
    """What `ask` may return where it knows which outcomes came at one moment."""

    def arrived(self) -> list[ChatOutcome]:
        """Return, without waiting, what came together with the last outcome; it is not yielded then."""
        ...


def arrived_with(outcomes: Iterator[ChatOutcome] | Gathered) -> list[ChatOutcome]:
    """Return what has come together with the outcome yielded last; nothing where that is not known."""
    # To ask for a Protocol takes Python 3.11 forty microseconds.
    arrived: Callable[[], list[ChatOutcome]] | None = getattr(outcomes, "arrived", None)
    return [] if arrived is None else arrived()
