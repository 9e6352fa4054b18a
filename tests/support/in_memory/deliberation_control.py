"""Orders that are followed when a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.redeliberation import RepeatChoice


@dataclass
class MemoryDeliberationControl:
    """DeliberationControl that keeps what is ordered."""

    cancelled: list[tuple[str, str]] = field(default_factory=list)
    repeated: list[tuple[str, RepeatChoice]] = field(default_factory=list)

    def cancel(self, deliberation_id: str, reason: str) -> None:
        self.cancelled.append((deliberation_id, reason))

    def redeliberate(self, deliberation_id: str, choice: RepeatChoice) -> None:
        self.repeated.append((deliberation_id, choice))
