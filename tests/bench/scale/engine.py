"""An engine with continuous batching, as a queue whose server is shared by all requests in it."""

from __future__ import annotations

import heapq
from collections.abc import Generator
from dataclasses import dataclass

import simpy

Process = Generator[simpy.Event, object, None]


@dataclass(frozen=True)
class Speed:
    """How fast one engine answers; the defaults are an assumption, to be replaced by figures of your own."""

    alone: float = 60.0
    """Tokens written in a second for one request alone."""
    together: float = 1500.0
    """Tokens written in a second for all requests of a full batch."""
    read: float = 20.0
    """Prompt tokens, not in the prefix cache, that cost as much as one written."""
    start_s: float = 120.0
    """From the pod's creation to an engine that answers: node, image, weights."""


class Engine:
    """Shares its speed among the requests it has: each gets `alone`, or its part of `together`.

    Processor sharing by virtual time: all requests progress alike, so a request of so many tokens ends when that
    many tokens have been written for each that was there all the time (Parekh and Gallager, 1993).
    """

    def __init__(self, env: simpy.Environment, speed: Speed) -> None:
        self._env = env
        self._speed = speed
        self._ends: list[tuple[float, int, simpy.Event]] = []
        self._count = 0
        self._virtual = 0.0
        self._at = env.now
        self._plan = 0

    @property
    def load(self) -> int:
        """Requests in the engine."""
        return len(self._ends)

    def ask(self, *, read: float, write: float) -> simpy.Event:
        """Return what happens when an answer of `write` tokens to a prompt of `read` tokens is there."""
        self._progress()
        answered = self._env.event()
        self._count += 1
        heapq.heappush(self._ends, (self._virtual + write + read / self._speed.read, self._count, answered))
        self._wait_for_the_next()
        return answered

    @property
    def _rate(self) -> float:
        return min(self._speed.alone, self._speed.together / len(self._ends)) if self._ends else 0.0

    def _progress(self) -> None:
        self._virtual += (self._env.now - self._at) * self._rate
        self._at = self._env.now

    def _wait_for_the_next(self) -> None:
        self._plan += 1
        if self._ends:
            due = max(0.0, self._ends[0][0] - self._virtual) / self._rate
            self._env.process(self._end(due, self._plan))

    def _end(self, due: float, plan: int) -> Process:
        yield self._env.timeout(due)
        if plan == self._plan:  # nothing has come or gone meanwhile
            self._progress()
            end, _, answered = heapq.heappop(self._ends)
            self._virtual = max(self._virtual, end)  # a rounding error must not keep it in for ever
            answered.succeed()
            self._wait_for_the_next()
