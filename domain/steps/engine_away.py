"""What a step raises while an engine is away: the one thing worth trying again later."""

from __future__ import annotations

from domain.ports.chat_model import ChatFailure


class EngineAway(Exception):
    """The engine can't answer now; the same step may succeed later.

    Raised only before the deliberation's deadline; afterwards a step records the failure instead.
    """

    def __init__(self, failure: ChatFailure) -> None:
        super().__init__(f"{failure.reason}: {failure.detail}")
        self.failure = failure
