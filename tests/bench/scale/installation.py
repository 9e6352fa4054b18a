"""One installation under a stream of approvals: control workers, a fleet of engines, how long each plan took."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import simpy

from tests.bench.scale.costs import Work
from tests.bench.scale.engine import Process, Speed
from tests.bench.scale.fleet import Fleet, Scaling

HOUR = 3600.0
Arrivals = Callable[[random.Random], Iterator[float]]
"""Seconds from the start at which plans are approved, in order."""


@dataclass(frozen=True)
class Setup:
    """What is simulated."""

    engines: int
    control: int = 2
    control_cpu_s: float = 0.05
    scaling: Scaling | None = None
    speed: Speed = field(default_factory=Speed)
    work: Work = field(default_factory=Work)


@dataclass
class Told:
    """What came out, in seconds."""

    waited: list[float] = field(default_factory=list)
    """From the approval until its last proposal began."""
    took: list[float] = field(default_factory=list)
    """From the approval to the decision."""
    engine_s: float = 0.0
    control_busy_s: float = 0.0
    ended_at: float = 0.0


def simulate(setup: Setup, arrivals: Arrivals, *, seed: int = 0) -> Told:
    """Run every approval to its decision."""
    env, told, draw = simpy.Environment(), Told(), random.Random(seed)
    engines = setup.scaling.least if setup.scaling else setup.engines
    fleet = Fleet(env, setup.speed, engines=engines)
    control = simpy.Resource(env, capacity=setup.control)
    if setup.scaling:
        env.process(fleet.scaled(setup.scaling))
    plans = list(arrivals(draw))
    decided = [env.process(_plan(env, at, fleet, control, setup, told, draw)) for at in plans]
    env.run(until=env.all_of(decided))
    told.engine_s, told.ended_at = fleet.engine_s, env.now
    return told


def _plan(
    env: simpy.Environment,
    at: float,
    fleet: Fleet,
    control: simpy.Resource,
    setup: Setup,
    told: Told,
    draw: random.Random,
) -> Process:
    yield env.timeout(at)
    yield from _compute(env, control, setup.control_cpu_s / 2, told)
    work = setup.work
    proposals = [
        fleet.propose(read=work.proposal_read, write=work.proposal_write * draw.uniform(0.5, 1.5))
        for _ in range(work.agents)
    ]
    yield env.all_of([begun for begun, _ in proposals])
    told.waited.append(env.now - at)
    yield env.all_of([written for _, written in proposals])
    yield env.all_of(
        [
            env.process(fleet.judge(read=work.ballot_read, write=work.ballot_write))
            for _ in range(work.ballot_calls)
        ]
    )
    yield from _compute(env, control, setup.control_cpu_s / 2, told)
    told.took.append(env.now - at)


def _compute(env: simpy.Environment, control: simpy.Resource, cpu_s: float, told: Told) -> Process:
    """Occupy one control worker's processor: its threads share one interpreter, and so one core."""
    with control.request() as turn:
        yield turn
        yield env.timeout(cpu_s)
        told.control_busy_s += cpu_s


def steady(per_hour: float, hours: float) -> Arrivals:
    """Return approvals that come independently of one another, so many an hour."""

    def arrivals(draw: random.Random) -> Iterator[float]:
        at = draw.expovariate(per_hour / HOUR)
        while at < hours * HOUR:
            yield at
            at += draw.expovariate(per_hour / HOUR)

    return arrivals


def bursts(plans: int, *, every_s: float, hours: float) -> Arrivals:
    """Return so many approvals within a minute, again and again, and nothing in between."""

    def arrivals(draw: random.Random) -> Iterator[float]:
        for burst in range(int(hours * HOUR / every_s)):
            yield from sorted(burst * every_s + draw.uniform(0.0, 60.0) for _ in range(plans))

    return arrivals
