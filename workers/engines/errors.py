"""Why an engine can't serve."""

from __future__ import annotations

from domain.chat import FailureReason

ALLOW_IT = "name the address, with its key, in CONCLAVE_EXTERNAL_ENGINES"
"""What to do where an external engine must not be called."""


class EngineError(Exception):
    """An engine can't serve as it is set up; the text is one sentence for the operator."""


class CannotChat(Exception):
    """The ready check got no answer."""

    def __init__(self, reason: FailureReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class EngineBusyPort(EngineError):
    """Another process took the port between its choice and its use; another port will do."""


class UnknownFlags(EngineError):
    """This installation of the engine does not know some flags."""

    def __init__(self, text: str, flags: frozenset[str]) -> None:
        super().__init__(text)
        self.flags = flags
