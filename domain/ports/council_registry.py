"""Where councils are kept."""

from __future__ import annotations

from typing import Protocol

from domain.council import Council


class CouncilRegistry(Protocol):
    """Councils by role; survives restarts of everything."""

    def save(self, council: Council) -> None:
        """Put the council in place of the role's earlier one; saving the same again changes nothing."""
        ...

    def all(self) -> tuple[Council, ...]:
        """Return every council, ordered by role."""
        ...

    def delete(self, role: str) -> bool:
        """Remove the role's council; False if there was none."""
        ...
