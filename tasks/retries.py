"""Whether a task is tried again, and when: the one owner of retries.

Three counts decide, each for itself: how often the task waited for an engine that was away, how often it met a
record of a newer version, and how often it raised anything else. They travel in the message's headers, since
Celery's own `retries` adds them up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

ENGINE_WAITS = "conclave_engine_waits"
ERRORS = "conclave_errors"
NEWER_RECORDS = "conclave_newer_records"
"""Message headers; absent in a task's first message."""


class MessageHeaders(Protocol):
    """A task's `self.request`, or a dictionary."""

    def get(self, key: str, default: Any = None) -> Any: ...


@dataclass(frozen=True)
class RetryCounts:
    """How often a task was sent again, by cause."""

    engine_waits: int = 0
    errors: int = 0
    newer_records: int = 0

    @classmethod
    def of_message(cls, headers: MessageHeaders) -> RetryCounts:
        """Read the counts; a message of version 0.1, which has none, counts from Celery's `retries`."""
        retries = headers.get("retries")
        return cls(
            _count(headers.get(ENGINE_WAITS, retries)),
            _count(headers.get(ERRORS, retries)),
            _count(headers.get(NEWER_RECORDS)),
        )

    def headers(self) -> dict[str, int]:
        """Return what the next message carries."""
        return {ENGINE_WAITS: self.engine_waits, ERRORS: self.errors, NEWER_RECORDS: self.newer_records}


@dataclass(frozen=True)
class RetryIn:
    """Send the task again, to begin after so many seconds, with these counts."""

    seconds: float
    counts: RetryCounts


@dataclass(frozen=True)
class GiveUp:
    """Send the task no more, and record what that means."""


@dataclass(frozen=True)
class RetryPolicy:
    """The back-off of either cause, in seconds from the first retry on."""

    engine_away_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 5.0)
    """The last one repeats without end: the deliberation's deadline ends the waiting, not a count."""
    error_s: tuple[float, ...] = (1.0, 3.0, 9.0)
    """After the last one the task is given up."""
    newer_record_s: tuple[float, ...] = (1.0, 1.0, 2.0, 2.0, 4.0, *(10.0 for _ in range(360)))
    """An hour: while an installation is upgraded, a worker of the version that wrote the record takes the task."""
    store_gap_s: float = 1.0
    """Repeats without end: a control worker closes the gap as soon as NATS answers."""

    def engine_away(self, counts: RetryCounts, *, left_s: float) -> RetryIn:
        """Decide for a task whose engine is away; it comes again when its time is over, to record that."""
        seconds = self.engine_away_s[min(counts.engine_waits, len(self.engine_away_s) - 1)]
        return RetryIn(min(seconds, max(left_s, 0.0)), replace(counts, engine_waits=counts.engine_waits + 1))

    def store_gap(self, counts: RetryCounts) -> RetryIn:
        """Decide for a task that waits for the store to be compared with the streams."""
        return RetryIn(self.store_gap_s, counts)

    def unexpected_error(self, counts: RetryCounts) -> RetryIn | GiveUp:
        """Decide for a task that raised anything else."""
        if counts.errors >= len(self.error_s):
            return GiveUp()
        return RetryIn(self.error_s[counts.errors], replace(counts, errors=counts.errors + 1))

    def newer_record(self, counts: RetryCounts) -> RetryIn | GiveUp:
        """Decide for a task that met a record which a newer version wrote."""
        if counts.newer_records >= len(self.newer_record_s):
            return GiveUp()
        seconds = self.newer_record_s[counts.newer_records]
        return RetryIn(seconds, replace(counts, newer_records=counts.newer_records + 1))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
