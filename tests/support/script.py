"""What a scripted engine is told to do, and what it saw; knows nothing of HTTP."""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.support.scripted_answers import Body, free_text, is_ballot, seeded_digits, sheet

COUNTED = ("queries", "hits", "prompt", "generated")
BLOCK = 16
"""Words of a prefix-cache block, where one word counts as one token."""


@dataclass
class Script:
    """What the engine is told to do, and what it saw. Times in seconds."""

    model: str = "scripted"
    latency_s: float = 1.0
    limit: int | None = None
    context_length: int = 8192
    ready_after_s: float = 0.0
    text: Callable[[Body], str] = free_text
    scores: Callable[[Body], Iterator[int]] = seeded_digits
    thinks: Callable[[Body], str] = lambda body: ""
    """What stands before every answer."""
    queue: deque[str] = field(default_factory=deque)
    """Faults for coming requests, one each: `ok`, `400`, `429`, `500`, `503`, `hang`, `disconnect`, `length`,
    `empty`, `garbage`, `off_form`. `ballot:503` or `text:503` waits for a request of that kind, `off_form`
    for a ballot."""
    hangs: Callable[[Body], bool] = lambda body: False
    """Requests that never get an answer, however often they come."""
    shares: dict[str, float] = field(default_factory=dict)
    """Fault -> share of requests, drawn after the queue."""
    dice: random.Random = field(default_factory=lambda: random.Random(0))
    key: str = ""
    """Asked for under /v1; empty asks for none."""
    lists_models: bool = True
    health: str = "ok"
    """`ok`, `500` or `hang`."""
    remembers: bool = True
    """False keeps nothing of a request once it is answered: for runs that last."""
    count: int = 0
    """Chat requests so far."""
    bodies: list[Body] = field(default_factory=list)
    traceparents: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    """Fault -> how many requests got it."""
    answered: Counter[int] = field(default_factory=Counter)
    """Identity of a request -> how often it was answered whole and well."""
    given: list[tuple[str, str]] = field(default_factory=list)
    """Prompt and text of every answer that went out whole."""
    waiting: int = 0
    """How many requests /metrics says wait."""
    in_flight: int = 0
    max_in_flight: int = 0
    cancelled: int = 0
    counted: int = 0
    """How often it was asked to count tokens."""
    keys: set[str] = field(default_factory=set)
    """Values of `Authorization` it was shown."""
    connections: set[int] = field(default_factory=set)
    blocks: set[int] = field(default_factory=set)
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    started: float = field(default_factory=time.monotonic)

    def fault_for(self, body: Body) -> str:
        """The fault this request gets, `ok` for none."""
        if self.hangs(body):
            return "hang"
        kind = "ballot" if is_ballot(body) else "text"
        for index, entry in enumerate(self.queue):
            wanted, _, name = entry.rpartition(":")
            if (wanted or ("ballot" if name == "off_form" else kind)) == kind:
                del self.queue[index]
                return name
        roll = self.dice.random()
        for name, share in self.shares.items():
            roll -= share
            if roll < 0:
                return name
        return "ok"

    def say(self, body: Body, fault: str) -> str:
        """The answer's text."""
        if fault == "empty":
            return ""
        if fault == "off_form":
            return "I would rather not give numbers."
        text = self.thinks(body) + (sheet(body, self.scores(body)) if is_ballot(body) else self.text(body))
        return text[: len(text) // 2] if fault == "length" else text

    def cached(self, prompt: str) -> int:
        """Count a prompt against the prefix cache; how many of its words were there."""
        if not self.remembers:
            return 0
        words, keys, key = prompt.split(), list[int](), 0
        for end in range(BLOCK, len(words) + 1, BLOCK):
            key = hash((key, *words[end - BLOCK : end]))
            keys.append(key)
        hits = sum(key in self.blocks for key in keys) * BLOCK
        self.blocks.update(keys)
        self.totals["queries"] += len(words)
        self.totals["hits"] += hits
        return hits
