"""The subjects that Conclave reads and writes; outgoing ones are the event types of domain.event_types."""

from __future__ import annotations

PLAN_APPROVED = "planning.plan.approved"
STORY_TRANSITIONED = "planning.story.transitioned"
DELIBERATION_REQUESTED = "deliberation.requested"
INBOUND = (PLAN_APPROVED, DELIBERATION_REQUESTED, STORY_TRANSITIONED)

DEAD_LETTER = "conclave.dead_letter"
"""In front of the subject of the original."""
ADVISORIES = tuple(f"$JS.EVENT.ADVISORY.CONSUMER.{kind}" for kind in ("MAX_DELIVERIES", "MSG_TERMINATED"))
"""In front of stream and consumer: JetStream's advisories that it delivers a message no more."""


def dead_letter_subject(subject: str) -> str:
    """Return the subject of the dead letters of messages on `subject`."""
    return f"{DEAD_LETTER}.{subject}"
