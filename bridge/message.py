"""An incoming message as it lies in its stream, free of any client library."""

from __future__ import annotations

import re

from domain.value import Value

TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, level 1; an invalid one must be ignored, not repaired."""


class InboundMessage(Value):
    """One delivery of one stored message."""

    subject: str
    data: bytes
    headers: dict[str, str] = {}
    stream: str = ""
    sequence: int = 0
    """In its stream."""
    delivered: int = 1
    """How often it has been delivered, this time included."""
    received_at: float = 0.0
    """Epoch seconds when the stream stored it."""

    def header(self, name: str) -> str:
        """Return the header of that name in any case; empty if there is none."""
        name = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == name), "")

    @property
    def place(self) -> str:
        """Where it is stored; unique within the server, and the same for every delivery."""
        return f"{self.stream}:{self.sequence}"


def traceparent(*candidates: object) -> str:
    """Return the first candidate that is a valid W3C trace context; empty if none is."""
    valid = (text for text in candidates if isinstance(text, str) and TRACEPARENT.fullmatch(text))
    return next(valid, "")
