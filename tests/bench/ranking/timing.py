"""Point 1's timing: what one ranking costs, bootstrap included. Printed, never asserted."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from statistics import median

from domain.ranking import Ballot, rank

CRITERIA = ("fit", "feasibility", "clarity")
REPEATS = 30


def lines() -> Iterator[str]:
    """Milliseconds by number of agents, three criteria, two passes, no gaps."""
    yield f"Time of one ranking, three criteria, two passes, bootstrap included ({REPEATS} runs, processor time)"
    for agents in (3, 5, 8, 16):
        cost = _cost(_ballots(agents))
        yield f"  {agents:2} agents   median {median(cost):6.2f} ms   least {min(cost):6.2f} ms"


def _cost(ballots: list[Ballot]) -> list[float]:
    rank(ballots)
    spent = []
    for _ in range(REPEATS):
        start = time.process_time_ns()
        rank(ballots)
        spent.append((time.process_time_ns() - start) / 1e6)
    return spent


def _ballots(agents: int) -> list[Ballot]:
    rng = random.Random(agents)
    author_of = {f"p{i}": f"agent{i}" for i in range(agents)}
    return [
        Ballot(
            name,
            author_of=author_of,
            scores={p: {c: rng.randint(1, 9) for c in CRITERIA} for p in author_of if author_of[p] != name},
        )
        for name in author_of.values()
        for _ in range(2)
    ]
