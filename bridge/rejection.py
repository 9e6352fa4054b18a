"""Why a message is rejected: one sentence a mistake that names field and remedy, without quoting content."""

from __future__ import annotations

from pydantic import Field

from domain.plan import PlanRequest
from domain.validation.words import printable
from domain.value import Value

MAX_REASON = 300
"""Characters; a reason travels in a header."""
MAX_ID = 40
"""Characters of an id in a reason."""


class Rejection(Value):
    """What is wrong with a message that can't be accepted, now or later."""

    mistakes: tuple[str, ...] = Field(min_length=1)
    unlisted: int = 0
    """How many more mistakes there are than are listed."""

    @property
    def reason(self) -> str:
        """The first mistake and how many more there are, short enough for a header."""
        more = len(self.mistakes) - 1 + self.unlisted
        others = f" (and {more} more)" if more else ""
        return self.mistakes[0][: MAX_REASON - len(others)] + others


def other_content(request: PlanRequest, kept: PlanRequest) -> str:
    """Say that a request asks for something else than the one that is kept under its id; names both."""
    this, earlier = request.place or "this approval", kept.place or "an earlier one"
    key = f"plan id {printable(request.plan.plan_id, MAX_ID)}, revision {printable(request.revision, MAX_ID)}"
    return (
        f"{this} has other content than {earlier} under the same key ({key}), so that one stands; "
        "send it under another idempotency_key, CloudEvents id or timestamp"
    )


class MessageRejected(Exception):
    """Raised while a message is read; the text is the sentence for its dead letter."""
