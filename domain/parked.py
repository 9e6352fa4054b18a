"""A task or a message that lies aside: it would end workers, or no worker can take it in."""

from __future__ import annotations

from domain.identity import digest
from domain.value import Value


class Parked(Value):
    """What lies aside, with the reason; it stays until a person releases or drops it."""

    parked_id: str
    at: float
    """Since when, in epoch seconds."""
    queue: str
    """Where it came from."""
    reason: str
    message: str = ""
    """A message as it lay in its queue, its bytes in hexadecimal; empty for a task that ran too often."""
    task: str = ""
    """The name of a task that ran too often."""
    subject: str = ""
    """The deliberation of that task, or the request whose roles it was to open."""


def parked_id_of(task_id: str) -> str:
    """Name a parked task: the same one is parked once."""
    return digest(task_id)[:12]
