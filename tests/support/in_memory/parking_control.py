"""Orders about what is parked, followed when a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class MemoryParkingControl:
    """ParkingControl that keeps what is ordered."""

    released: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def release(self, parked_id: str) -> None:
        self.released.append(parked_id)

    def drop(self, parked_id: str) -> None:
        self.dropped.append(parked_id)
