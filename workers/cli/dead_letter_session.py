"""The dead letters over one connection to NATS; apart from its commands, so that other commands import no NATS."""

from __future__ import annotations

from bridge.dead_letters import DeadLetters, Replayed
from domain.dead_letter import DeadLetter
from workers.cli.nats_session import NatsSession


class DeadLetterSession(NatsSession):
    """The dead letters over one connection."""

    def page(self, after: int, limit: int) -> tuple[DeadLetter, ...]:
        return self._call(lambda: self._dead_letters.list(after=after, limit=limit))

    def show(self, sequence: int) -> DeadLetter:
        return self._call(self._dead_letters.show, sequence)

    def replay(self, sequence: int) -> Replayed:
        return self._call(self._dead_letters.replay, sequence)

    def purge(self, sequence: int | None) -> int:
        return self._call(self._dead_letters.purge, sequence)

    @property
    def _dead_letters(self) -> DeadLetters:
        return DeadLetters(self._connected)
