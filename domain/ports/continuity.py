"""Whether the store still holds all that it ever confirmed."""

from __future__ import annotations

from typing import Protocol

from domain.value import Value


class Gap(Value):
    """What a store may have lost: it was restarted, rolled back, replaced or emptied."""

    since: float
    """Epoch seconds; what was confirmed before is there."""
    server: str
    """Which run of which server was seen."""


class Continuity(Protocol):
    """Knows which run of the store's server was compared with the streams.

    While there is a gap the store takes no end of a deliberation: it might have forgotten one that was told.
    Every method may raise what its store raises while that is away, and may then be called again.
    """

    def gap(self) -> Gap | None:
        """Return what may be missing; None where nothing is, and then the store is known to be whole until now."""
        ...

    def is_whole(self) -> bool:
        """Whether there is no gap, without noting anything: for those who may only read."""
        ...

    def close(self, gap: Gap) -> bool:
        """Note that the streams were compared for that gap; False where the server is another by now."""
        ...
