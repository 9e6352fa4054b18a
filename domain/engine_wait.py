"""What a step that waits for an engine knows of its earlier tries: the cause is told when the time is over."""

from __future__ import annotations

from typing import Self

from domain.chat import ChatFailure, FailureReason
from domain.value import Value


class EngineWait(Value):
    """The tries of one step so far; it travels with the step's message."""

    reason: FailureReason
    """Of the last try."""
    detail: str
    times: int = 1
    since: float
    """Epoch seconds of the first try."""

    @classmethod
    def after(cls, earlier: EngineWait | None, failure: ChatFailure, *, now: float) -> Self:
        """Add a try."""
        return cls(
            reason=failure.reason,
            detail=failure.detail,
            times=earlier.times + 1 if earlier else 1,
            since=earlier.since if earlier else now,
        )

    @property
    def sentence(self) -> str:
        """The last cause, and how often the engine was asked."""
        return self.detail if self.times == 1 else f"{self.detail}, asked {self.times} times"
