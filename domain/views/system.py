"""The state of an installation, part by part: each is there, or says why it can't be read."""

from __future__ import annotations

from typing import Generic, TypeVar

from domain.dead_letter import DeadLetter
from domain.engine import EngineKind, EngineRecord
from domain.finding import Finding
from domain.parked import Parked
from domain.system import QueueLoad, ScheduledRun, WorkerSeen
from domain.thinking import Thoughts
from domain.value import Value

T = TypeVar("T", bound=Value)


class Part(Value, Generic[T]):
    """One part of the state."""

    rows: tuple[T, ...] = ()
    problem: str = ""
    """Why it can't be read, in a sentence; empty if it was."""


class EngineRow(Value):
    """An engine as its worker last saw it."""

    name: str
    model: str
    kind: EngineKind
    node: str
    gpu: str
    ready: bool
    """False while it is being started."""
    slots: int
    """Calls it takes at once; 0 where unknown."""
    in_flight: int
    waiting: int
    context_length: int
    """Tokens; 0 where it does not say."""
    hit_rate: float | None
    """Share of looked-up prompt tokens that its prefix cache held."""
    kv_usage: float | None
    """Share of its key-value cache in use."""
    thoughts: Thoughts
    """Whether its model thinks before it answers."""


class DeadLetterRow(Value):
    """A dead letter without its body."""

    number: int
    at: str
    """When it became one, ISO 8601."""
    subject: str
    delivered: int
    reason: str


class ParkedRow(Value):
    """What lies aside, without its bytes."""

    parked_id: str
    at: float
    queue: str
    what: str
    reason: str


class SystemState(Value):
    """All parts at about one moment."""

    looked_at: float
    """Epoch seconds."""
    findings: Part[Finding]
    queues: Part[QueueLoad]
    workers: Part[WorkerSeen]
    engines: Part[EngineRow]
    dead_letters: Part[DeadLetterRow]
    """The oldest ones."""
    parked: Part[ParkedRow]
    schedules: Part[ScheduledRun]


def engine_row(record: EngineRecord) -> EngineRow:
    """Return what people see of an engine."""
    shown = record.model_dump(include=set(EngineRow.model_fields))
    return EngineRow(**shown, thoughts=record.found.thoughts)


def dead_letter_row(letter: DeadLetter) -> DeadLetterRow:
    """Return what a list says of a dead letter."""
    return DeadLetterRow(
        number=letter.sequence,
        at=letter.at,
        subject=letter.subject,
        delivered=letter.delivered,
        reason=letter.reason,
    )


def parked_row(parked: Parked) -> ParkedRow:
    """Return what a list says of what lies aside."""
    what = f"{parked.task} of {parked.subject}" if parked.task else f"message, {len(parked.message) // 2} bytes"
    return ParkedRow(parked_id=parked.parked_id, at=parked.at, queue=parked.queue, what=what, reason=parked.reason)
