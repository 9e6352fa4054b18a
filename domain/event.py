"""An event as it waits in the outbox: a body with its id, its time and what caused it."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from domain.contract import EventBody
from domain.value import OpenValue


class Event(OpenValue):
    """One past-tense fact with its body, ready to be published under a fixed id."""

    event_id: str
    """Derived from what happened (`domain.identity.event_id`); the same fact has the same id."""
    event_type: str
    """Also its subject, such as `orchestration.deliberation.completed`."""
    subject_id: str
    """What it is about: a deliberation, plan or story id."""
    occurred_at: float
    """Epoch seconds."""
    body: EventBody
    """What consumers read, as one JSON object."""
    correlation_id: str = ""
    causation_id: str = ""
    traceparent: str = ""

    @model_validator(mode="after")
    def _body_has_the_type(self) -> Self:
        if self.event_type != self.body.event_type:
            raise ValueError(f"an event of type {self.event_type} can't have a body of {self.body.event_type}")
        return self
