"""A store without gaps, or with the one that a test sets."""

from __future__ import annotations

from domain.ports.continuity import Gap


class MemoryContinuity:
    """Continuity that a test breaks by setting `found`."""

    def __init__(self) -> None:
        self.found: Gap | None = None

    def gap(self) -> Gap | None:
        return self.found

    def is_whole(self) -> bool:
        return self.found is None

    def close(self, gap: Gap) -> bool:
        if self.found != gap:
            return False
        self.found = None
        return True
