"""Counters over all deliberations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Tally(Protocol):
    """Reads what `DeliberationStore.record` counts."""

    def counts(self) -> Mapping[str, int]:
        """Return every counter; one that was never added to is absent."""
        ...
