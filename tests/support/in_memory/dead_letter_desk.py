"""Dead letters in a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.dead_letter import DeadLetter
from domain.errors import NoSuchDeadLetter, NotReplayable, SystemUnreadable


@dataclass
class MemoryDeadLetterDesk:
    """DeadLetterDesk over what a test puts in; `replayed` were sent again."""

    letters: dict[int, DeadLetter] = field(default_factory=dict)
    replayed: list[DeadLetter] = field(default_factory=list)
    unreadable: SystemUnreadable | None = None

    async def list(self, after: int, limit: int) -> tuple[DeadLetter, ...]:
        self._look()
        return tuple(letter for number, letter in sorted(self.letters.items()) if number > after)[:limit]

    async def newest(self, limit: int) -> tuple[DeadLetter, ...]:
        self._look()
        return tuple(letter for _, letter in sorted(self.letters.items(), reverse=True))[:limit]

    async def show(self, number: int) -> DeadLetter:
        self._look()
        if number not in self.letters:
            raise NoSuchDeadLetter(f"no dead letter {number}")
        return self.letters[number]

    async def replay(self, number: int) -> None:
        letter = await self.show(number)
        if letter.data is None:
            raise NotReplayable(f"the original of dead letter {number} is gone")
        self.replayed.append(self.letters.pop(number))

    async def purge(self, number: int) -> None:
        await self.show(number)
        del self.letters[number]

    def _look(self) -> None:
        if self.unreadable is not None:
            raise self.unreadable
