"""What one deliberation costs: tokens, processor time of each process, commands and bytes of the stores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

from domain.value import Value

COSTS = Path(__file__).with_name("costs.json")


class Costs(Value):
    """Of one deliberation of three agents, as `python -m tests.bench.scale --measure` finds them."""

    measured: str
    """When, and on what."""
    control_cpu_s: float
    model_worker_cpu_s: float
    bridge_cpu_s: float
    valkey_cpu_s: float
    nats_cpu_s: float
    valkey_commands: float
    valkey_bytes: float
    """Read and written."""

    @classmethod
    def read(cls) -> Self:
        """Return what was measured last."""
        return cls.model_validate(json.loads(COSTS.read_text(encoding="utf-8")))

    def write(self) -> None:
        """Keep it for the next simulation."""
        COSTS.write_text(json.dumps(self.model_dump(), indent=2) + "\n", encoding="utf-8")


class Work(Value):
    """The models' part of a deliberation, in tokens that no prefix cache holds and in tokens written."""

    agents: int = 3
    ballot_calls: int = 6
    """One for each proposal of another agent."""
    proposal_read: float = 600.0
    proposal_write: float = 400.0
    ballot_read: float = 325.0
    """Of one call; docs/ballots.md, pointwise with prefix cache."""
    ballot_write: float = 16.0

    def written(self, read: float) -> float:
        """Return its tokens as written ones, where `read` prompt tokens cost as much as one."""
        proposals = self.agents * (self.proposal_write + self.proposal_read / read)
        return proposals + self.ballot_calls * (self.ballot_write + self.ballot_read / read)
