"""What is parked, in a dictionary."""

from __future__ import annotations

from domain.parked import Parked


class MemoryParking:
    """Parking without a server; `requeued` are the messages that went back."""

    def __init__(self) -> None:
        self._parked: dict[str, Parked] = {}
        self.requeued: list[Parked] = []

    def put(self, parked: Parked) -> None:
        self._parked.setdefault(parked.parked_id, parked)

    def all(self) -> tuple[Parked, ...]:
        return tuple(sorted(self._parked.values(), key=lambda parked: (parked.at, parked.parked_id)))

    def count(self) -> int:
        return len(self._parked)

    def requeue(self, parked_id: str) -> bool:
        parked = self._parked.get(parked_id)
        if parked is None or not parked.message:
            return False
        self.requeued.append(self._parked.pop(parked_id))
        return True

    def drop(self, parked_id: str) -> bool:
        return self._parked.pop(parked_id, None) is not None
