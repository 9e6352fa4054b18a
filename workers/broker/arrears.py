"""What a broker that was away is still owed; knows neither Celery nor Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Debt:
    """Messages by delivery tag."""

    settled: set[str] = field(default_factory=set)
    """Done with here, still marked as unacknowledged there."""
    stranded: dict[str, str] = field(default_factory=dict)
    """Taken from a queue there but never marked; the marks that should have been written."""

    def __bool__(self) -> bool:
        return bool(self.settled or self.stranded)


class Arrears:
    """Collects debts of all channels of one worker process; any thread may call any method."""

    def __init__(self) -> None:
        self.incurred = threading.Event()
        """Set while something is owed that nobody has taken up yet."""
        self._lock = threading.Lock()
        self._debt = Debt()

    def settle(self, tag: str) -> None:
        """Owe the removal of a message that was dealt with."""
        with self._lock:
            self._debt.settled.add(tag)
        self.incurred.set()

    def strand(self, tag: str, mark: str) -> None:
        """Owe the return of a message that was taken but couldn't be marked."""
        with self._lock:
            self._debt.stranded[tag] = mark
        self.incurred.set()

    def __bool__(self) -> bool:
        """Whether anything is owed."""
        with self._lock:
            return bool(self._debt)

    def settled(self) -> frozenset[str]:
        """Return the tags whose removal is owed."""
        with self._lock:
            return frozenset(self._debt.settled)

    @contextmanager
    def paying(self) -> Iterator[Debt]:
        """Hand out all that is owed; it is owed again when the block raises."""
        self.incurred.clear()
        with self._lock:
            debt, self._debt = self._debt, Debt()
        try:
            yield debt
        except BaseException:
            with self._lock:
                self._debt.settled |= debt.settled
                self._debt.stranded = debt.stranded | self._debt.stranded
            raise
