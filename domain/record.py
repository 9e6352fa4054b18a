"""All entries of one deliberation, and what they say about its state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from domain import keys
from domain.chat import Usage
from domain.deliberation import Deliberation
from domain.entry import (
    AgentFailed,
    ArchitectAnswered,
    BallotCast,
    Closed,
    Compared,
    Critiqued,
    Entry,
    Opened,
    Proposed,
)


class DeliberationState(StrEnum):
    """How far a deliberation is. The state is read off the entries, never stored, so the two can't differ.

    proposing → reviewing → decided | failed; any open state → cancelled.
    """

    PROPOSING = "proposing"
    REVIEWING = "reviewing"
    DECIDED = "decided"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Record:
    """The entries by key. Raises ValueError where the opening entry is missing."""

    entries: dict[str, Entry]

    def __post_init__(self) -> None:
        if not isinstance(self.entries.get(keys.OPENED), Opened):
            raise ValueError("a record begins with its opening entry")

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Record:
        """Return the record of these entries, under their own keys."""
        return cls({entry.key: entry for entry in entries})

    def plus(self, entry: Entry) -> Record:
        """Return the record with one more entry; an entry already there stays."""
        return Record({entry.key: entry, **self.entries})

    @property
    def deliberation(self) -> Deliberation:
        """The deliberation as it was opened."""
        opened = self.entries[keys.OPENED]
        assert isinstance(opened, Opened)
        return opened.deliberation

    @property
    def closed(self) -> Closed | None:
        """How it ended; None while it is open."""
        closed = self.entries.get(keys.CLOSED)
        return closed if isinstance(closed, Closed) else None

    @property
    def architect(self) -> ArchitectAnswered | None:
        """The architect's choice among tied proposals; None where it was not asked."""
        entry = self.entries.get(keys.CHOICE)
        return entry if isinstance(entry, ArchitectAnswered) else None

    @property
    def synthesis(self) -> ArchitectAnswered | None:
        """The architect's synthesis of the best proposals; None where it was not asked."""
        entry = self.entries.get(keys.SYNTHESIS)
        return entry if isinstance(entry, ArchitectAnswered) else None

    @cached_property
    def state(self) -> DeliberationState:
        """Proposing until every agent has answered, reviewing until the closing entry, then what that says."""
        if self.closed is not None:
            return DeliberationState(self.closed.status)
        return DeliberationState.PROPOSING if self.unanswered() else DeliberationState.REVIEWING

    def attempt(self, round_: int, agent_id: str) -> Proposed | AgentFailed | None:
        """Return the agent's proposal of that round, or its failure; None while it has not answered."""
        entry = self.entries.get(keys.proposal_key(round_, agent_id))
        return entry if isinstance(entry, Proposed | AgentFailed) else None

    def unanswered(self, round_: int = 0) -> tuple[str, ...]:
        """Name the agents that have neither a proposal nor a failure in that round, in council order."""
        agents = (agent.agent_id for agent in self.deliberation.agents)
        return tuple(agent_id for agent_id in agents if self.attempt(round_, agent_id) is None)

    def proposals(self, round_: int = 0) -> tuple[Proposed, ...]:
        """Return that round's proposals in council order."""
        attempts = (self.attempt(round_, agent.agent_id) for agent in self.deliberation.agents)
        return tuple(attempt for attempt in attempts if isinstance(attempt, Proposed))

    def failures(self) -> tuple[AgentFailed, ...]:
        """Return every agent's failure of the first round, in council order."""
        attempts = (self.attempt(0, agent.agent_id) for agent in self.deliberation.agents)
        return tuple(attempt for attempt in attempts if isinstance(attempt, AgentFailed))

    def ballots(self, round_: int | None = None) -> tuple[BallotCast, ...]:
        """Return the ballots of one round or of all, ordered by key."""
        ballots = (entry for entry in self._by_key() if isinstance(entry, BallotCast))
        return tuple(ballot for ballot in ballots if round_ is None or ballot.round == round_)

    def comparisons(self, round_: int | None = None) -> tuple[Compared, ...]:
        """Return the comparisons of tied proposals of one round or of all, ordered by key."""
        comparisons = (entry for entry in self._by_key() if isinstance(entry, Compared))
        return tuple(entry for entry in comparisons if round_ is None or entry.round == round_)

    def critiques(self, proposal_id: str | None = None) -> tuple[Critiqued, ...]:
        """Return the critiques of one proposal or of all, ordered by key."""
        critiques = (entry for entry in self._by_key() if isinstance(entry, Critiqued))
        return tuple(
            critique for critique in critiques if proposal_id is None or critique.proposal_id == proposal_id
        )

    def calls(self) -> tuple[Proposed | AgentFailed | BallotCast | Compared | Critiqued | ArchitectAnswered, ...]:
        """Return every model call's outcome, ordered by key."""
        return tuple(entry for entry in self._by_key() if not isinstance(entry, Opened | Closed))

    @property
    def progress_at(self) -> float:
        """When the last entry was recorded, the opening among them, in epoch seconds."""
        return max([self.deliberation.opened_at, *(call.at for call in self.calls())])

    @property
    def usage(self) -> Usage:
        """Tokens of all calls so far."""
        return sum((call.usage for call in self.calls()), Usage())

    def _by_key(self) -> Iterator[Entry]:
        return (self.entries[key] for key in sorted(self.entries))
