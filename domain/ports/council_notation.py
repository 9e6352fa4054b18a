"""Councils as text that people edit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.council import Council


class CouncilNotation(Protocol):
    """Reads councils from text, and writes them as text that reads back to the same councils."""

    def read(self, text: str) -> tuple[Council, ...]:
        """Return all councils of the text; raises InvalidCouncils, and then none of it may be used."""
        ...

    def write(self, councils: Sequence[Council]) -> str:
        """Return the text of these councils; it holds no character that shows nothing."""
        ...
