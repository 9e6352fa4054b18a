"""Workers with an engine each, the queue they take proposals from, and what may change their number."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import simpy

from tests.bench.scale.engine import Engine, Process, Speed


@dataclass(frozen=True)
class Scaling:
    """What KEDA and the autoscaler under it do with the values of `deploy/conclave`."""

    most: int
    least: int = 0
    load: int = 48
    """Proposals that wait and requests in engines that one engine is meant to bear."""
    poll_s: float = 15.0
    """Between two looks at the load."""
    calm_s: float = 300.0
    """The number falls to the highest that was wanted within this time, one engine a minute."""
    cooldown_s: float = 900.0
    """From the last load to none."""


class Fleet:
    """Engines of one model. Proposals wait for a worker's thread; ballots go to the engine with the least load."""

    def __init__(self, env: simpy.Environment, speed: Speed, *, engines: int, threads: int = 64) -> None:
        self._env = env
        self._speed = speed
        self._threads = threads
        self._ready: dict[Engine, int] = {}
        """With the proposals that each works on."""
        self._starting = 0
        self._waiting: deque[tuple[simpy.Event, float, float]] = deque()
        self._somebody = env.event()
        self._held_s, self._held_since = 0.0, env.now
        for _ in range(engines):
            self._add()

    @property
    def count(self) -> int:
        """Engines that are paid for: those that answer and those that start."""
        return len(self._ready) + self._starting

    @property
    def load(self) -> int:
        """As `conclave_model_load`: proposals that wait and requests in engines."""
        return len(self._waiting) + sum(engine.load for engine in self._ready)

    @property
    def engine_s(self) -> float:
        """Seconds of engines that were paid for up to now."""
        return self._held_s + (self._env.now - self._held_since) * self.count

    def propose(self, *, read: float, write: float) -> tuple[simpy.Event, simpy.Event]:
        """Return what happens when a worker takes the proposal, and when it is written."""
        begun, written = self._env.event(), self._env.event()
        self._waiting.append((begun, read, write))
        self._env.process(self._written(begun, written))
        self._hand_out()
        return begun, written

    def judge(self, *, read: float, write: float) -> Process:
        """Ask a ballot of the engine with the least load, once there is one."""
        while not self._ready:
            yield self._somebody
        yield min(self._ready, key=lambda engine: engine.load).ask(read=read, write=write)

    def scaled(self, rule: Scaling) -> Process:
        """Change the number of engines by the load, for ever."""
        wanted: deque[tuple[float, int]] = deque()
        loaded_at, left_at = -math.inf, -math.inf
        while True:
            now = self._env.now
            loaded_at = now if self.load else loaded_at
            floor = rule.least if now - loaded_at > rule.cooldown_s else max(rule.least, 1)
            wanted.append((now, min(rule.most, max(floor, math.ceil(self.load / rule.load)))))
            while wanted[0][0] < now - rule.calm_s:
                wanted.popleft()
            if wanted[-1][1] > self.count:  # as the autoscaler's default: four more or twice as many in 15 seconds
                for _ in range(min(wanted[-1][1] - self.count, max(4, self.count))):
                    self._env.process(self._start())
            elif max(number for _, number in wanted) < self.count and now - left_at >= 60:
                left_at = now if self._drop_an_idle_one() else left_at
            yield self._env.timeout(rule.poll_s)

    def _written(self, begun: simpy.Event, written: simpy.Event) -> Process:
        answer = yield begun
        yield answer  # type: ignore[misc]
        written.succeed()

    def _hand_out(self) -> None:
        while self._waiting and (engine := self._with_a_free_thread()):
            begun, read, write = self._waiting.popleft()
            self._ready[engine] += 1
            answer = engine.ask(read=read, write=write)
            begun.succeed(answer)
            self._env.process(self._freed(engine, answer))

    def _freed(self, engine: Engine, answer: simpy.Event) -> Process:
        yield answer
        if engine in self._ready:
            self._ready[engine] -= 1
        self._hand_out()

    def _with_a_free_thread(self) -> Engine | None:
        free = [engine for engine, busy in self._ready.items() if busy < self._threads]
        return min(free, key=lambda engine: engine.load, default=None)

    def _start(self) -> Process:
        self._account()
        self._starting += 1
        yield self._env.timeout(self._speed.start_s)
        self._account()
        self._starting -= 1
        self._add()

    def _add(self) -> None:
        self._account()
        self._ready[Engine(self._env, self._speed)] = 0
        self._somebody.succeed()
        self._somebody = self._env.event()
        self._hand_out()

    def _drop_an_idle_one(self) -> bool:
        idle = next((engine for engine in self._ready if not engine.load), None)
        if idle is None:
            return False
        self._account()
        del self._ready[idle]
        return True

    def _account(self) -> None:
        self._held_s, self._held_since = self.engine_s, self._env.now
