"""The streams that Conclave needs: created where they are missing, used as they are where they exist."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, BadRequestError, NotFoundError, ServiceUnavailableError

from bridge.options import StreamLimits
from bridge.subjects import (
    DEAD_LETTER,
    DELIBERATION_JUDGED,
    DELIBERATION_REQUESTED,
    DURABLES,
    INBOUND,
    PLAN_APPROVED,
    STORY_TRANSITIONED,
    advisory_subjects,
    dead_letter_subject,
)
from domain import event_types

log = structlog.get_logger("bridge.streams")

DEAD_LETTERS = "CONCLAVE_DEAD_LETTERS"
"""The name of the stream of dead letters, unless another holds their subjects."""

NAME_TAKEN, SUBJECTS_OVERLAP = 10058, 10065
"""Error codes of the JetStream API."""


@dataclass(frozen=True)
class StreamPlan:
    """A stream as a bridge creates it, and the subjects that must have a stream of whatever name."""

    name: str
    subjects: tuple[str, ...]
    needed: tuple[str, ...]
    discard: DiscardPolicy = DiscardPolicy.OLD
    """What a full stream does. One that bridges read must refuse: its oldest message may be unread."""


PLANNING = StreamPlan(
    "PLANNING_EVENTS",
    (PLAN_APPROVED, STORY_TRANSITIONED),
    (PLAN_APPROVED, STORY_TRANSITIONED),
    DiscardPolicy.NEW,
)
ORCHESTRATOR = StreamPlan(
    "ORCHESTRATOR_EVENTS",
    ("orchestration.>",),
    (
        event_types.STARTED,
        event_types.PROGRESS,
        event_types.COMPLETED,
        event_types.FAILED,
        event_types.CANCELLED,
        event_types.JUDGED,
        event_types.DISPATCHED,
        event_types.PHASE_CHANGED,
        event_types.MESSAGE_REJECTED,
    ),
)
# A question is acknowledged and redelivered like an approval, which only a stream can do, and its subject lies
# under neither `planning.` nor `orchestration.`.
REQUESTS = StreamPlan(
    "DELIBERATION_REQUESTS", (DELIBERATION_REQUESTED,), (DELIBERATION_REQUESTED,), DiscardPolicy.NEW
)
# Beside the questions it would have to be added to a stream that exists, and no bridge alters one.
VERDICTS = StreamPlan("DELIBERATION_VERDICTS", (DELIBERATION_JUDGED,), (DELIBERATION_JUDGED,), DiscardPolicy.NEW)


def dead_letter_stream(durables: str = DURABLES) -> StreamPlan:
    """Return the stream of dead letters and of advisories about the durables of that prefix."""
    return StreamPlan(
        DEAD_LETTERS,
        (f"{DEAD_LETTER}.>", *advisory_subjects(durables)),
        tuple(dead_letter_subject(subject) for subject in INBOUND),
    )


def all_streams(durables: str = DURABLES) -> tuple[StreamPlan, ...]:
    """Return every stream that bridges with durables of that prefix need."""
    return (PLANNING, ORCHESTRATOR, REQUESTS, VERDICTS, dead_letter_stream(durables))


class StreamMissing(Exception):
    """No stream holds a subject that is needed, and none can be created. The text says what to change."""


class JetStreamAway(StreamMissing):
    """JetStream is off, or belongs to another account than this login's."""


async def ensure(stream: JetStreamContext, plan: StreamPlan, limits: StreamLimits) -> dict[str, str]:
    """Ensure that every needed subject has a stream, and return which, by subject.

    Creates at most one stream and alters none. May be called by any number of processes at once. Raises
    StreamMissing where an existing stream is in the way.
    """
    found = await _covering(stream, plan.needed)
    missing = tuple(subject for subject in plan.needed if subject not in found)
    if not missing:
        return found
    if not await _created(stream, plan, plan.subjects, limits):
        await _create_narrow(stream, plan, missing, limits)
    found = await _covering(stream, plan.needed)
    if len(found) < len(plan.needed):
        raise StreamMissing(_in_the_way(plan, next(subject for subject in missing if subject not in found)))
    return found


async def stream_of(stream: JetStreamContext, subject: str) -> str | None:
    """Return the stream that holds a subject without wildcards; None if there is none."""
    try:
        return await stream.find_stream_name_by_subject(subject)
    except NotFoundError:
        return None
    except ServiceUnavailableError:
        raise JetStreamAway(
            "JetStream does not answer: start nats-server with -js, and let this login's account use it"
        ) from None


async def _covering(stream: JetStreamContext, subjects: tuple[str, ...]) -> dict[str, str]:
    found = {subject: await stream_of(stream, subject) for subject in subjects}
    return {subject: name for subject, name in found.items() if name is not None}


async def _create_narrow(
    stream: JetStreamContext, plan: StreamPlan, missing: tuple[str, ...], limits: StreamLimits
) -> None:
    """Create the stream of the missing subjects alone, since another stream holds some of the usual ones."""
    log.warning("stream_overlaps", stream=plan.name, usual=plan.subjects, created_for=missing)
    if not await _created(stream, plan, missing, limits):
        raise StreamMissing(_in_the_way(plan, missing[0]))


async def _created(
    stream: JetStreamContext, plan: StreamPlan, subjects: tuple[str, ...], limits: StreamLimits
) -> bool:
    """Create the stream; False if its subjects overlap with another's."""
    try:
        await stream.add_stream(_configuration(plan, subjects, limits))
    except BadRequestError as error:
        if error.err_code == SUBJECTS_OVERLAP:
            return False
        if error.err_code == NAME_TAKEN:
            return True
        raise StreamMissing(f"stream {plan.name} can't be created: {error.description}") from error
    except APIError as error:
        raise StreamMissing(f"stream {plan.name} can't be created: {error.description}") from error
    log.info("stream_created", stream=plan.name, subjects=subjects)
    return True


def _configuration(plan: StreamPlan, subjects: tuple[str, ...], limits: StreamLimits) -> StreamConfig:
    return StreamConfig(
        name=plan.name,
        subjects=list(subjects),
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=plan.discard,
        max_bytes=limits.max_bytes,
        max_age=limits.max_age_s,
        duplicate_window=min(limits.duplicate_window_s, limits.max_age_s),
        num_replicas=limits.replicas,
    )


def _in_the_way(plan: StreamPlan, subject: str) -> str:
    return (
        f"no stream holds {subject}, and {plan.name} can't be created beside the streams that exist;"
        f" add the subject to one of them with `nats stream edit`"
    )
