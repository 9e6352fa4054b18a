"""The subjects that Conclave reads and writes; outgoing ones are the event types of domain.event_types."""

from __future__ import annotations

PLAN_APPROVED = "planning.plan.approved"
STORY_TRANSITIONED = "planning.story.transitioned"
DELIBERATION_REQUESTED = "deliberation.requested"
DELIBERATION_JUDGED = "deliberation.judged"
INBOUND = (PLAN_APPROVED, DELIBERATION_REQUESTED, STORY_TRANSITIONED, DELIBERATION_JUDGED)

DURABLES = "conclave"
"""In front of the durables' names, unless a setting names another prefix."""

DEAD_LETTER = "conclave.dead_letter"
"""In front of the subject of the original."""
ADVISORIES = tuple(f"$JS.EVENT.ADVISORY.CONSUMER.{kind}" for kind in ("MAX_DELIVERIES", "MSG_TERMINATED"))
"""In front of stream and consumer: JetStream's advisories that it delivers a message no more."""


def durable_name(prefix: str, subject: str) -> str:
    """Return the durable's name; dots would end up in the subjects of the JetStream API."""
    return f"{prefix}-{subject.replace('.', '-')}"


def dead_letter_subject(subject: str) -> str:
    """Return the subject of the dead letters of messages on `subject`."""
    return f"{DEAD_LETTER}.{subject}"


def advisory_subjects(durables: str) -> tuple[str, ...]:
    """Return the subjects of the advisories about our durables, in a stream of whatever name."""
    return tuple(f"{kind}.*.{durable_name(durables, subject)}" for kind in ADVISORIES for subject in INBOUND)


def is_dead_letter(stored_on: str, durables: str) -> bool:
    """Whether what a dead-letter stream holds on that subject concerns us.

    A stream that version 0.1 made keeps the advisories about every application's consumers.
    """
    if not stored_on.startswith(ADVISORIES):
        return True
    return stored_on.rpartition(".")[2] in {durable_name(durables, subject) for subject in INBOUND}
