"""What the world is told: the envelope of every outgoing event."""

from __future__ import annotations

from typing import Any

from domain.value import Value


class Event(Value):
    """One past-tense fact with its body, ready to be published under a fixed id."""

    event_id: str
    """Derived from what happened (`domain.identity.event_id`); the same fact has the same id."""
    event_type: str
    """Also its subject, such as `orchestration.deliberation.completed`."""
    subject_id: str
    """What it is about: a deliberation, plan or story id."""
    occurred_at: float
    """Epoch seconds."""
    body: dict[str, Any]
    """The JSON object that consumers read."""
    correlation_id: str = ""
    causation_id: str = ""
    traceparent: str = ""
