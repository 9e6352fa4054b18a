"""The subjects that Conclave reads and writes; outgoing ones are the event types of domain.events."""

from __future__ import annotations

PLAN_APPROVED = "planning.plan.approved"
STORY_TRANSITIONED = "planning.story.transitioned"
DELIBERATION_REQUESTED = "deliberation.requested"
INBOUND = (PLAN_APPROVED, DELIBERATION_REQUESTED, STORY_TRANSITIONED)

DEAD_LETTER = "conclave.dead_letter"
"""In front of the subject that the dead letter came on."""
ADVISORIES = tuple(f"$JS.EVENT.ADVISORY.CONSUMER.{kind}" for kind in ("MAX_DELIVERIES", "MSG_TERMINATED"))
"""In front of stream and consumer: how JetStream says that it delivers a message no more."""


def dead_letter(subject: str) -> str:
    """Return where a message that came on `subject` is put when it is refused."""
    return f"{DEAD_LETTER}.{subject}"
