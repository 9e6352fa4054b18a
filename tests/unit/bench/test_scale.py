"""The simulation of fleets against what queueing theory and arithmetic say."""

from __future__ import annotations

import random
from statistics import fmean

import pytest
import simpy

from tests.bench.scale.costs import Work
from tests.bench.scale.engine import Engine, Speed
from tests.bench.scale.fleet import Scaling
from tests.bench.scale.installation import HOUR, Setup, bursts, simulate, steady

SPEED = Speed(alone=50.0, together=100.0, read=20.0, start_s=120.0)


def _ended(speed: Speed, asked: list[tuple[float, float]]) -> list[float]:
    """Return when answers of so many tokens, asked for at such times, were there."""
    env = simpy.Environment()
    engine, ended = Engine(env, speed), [0.0] * len(asked)

    def ask(place: int, at: float, write: float) -> simpy.events.ProcessGenerator:
        yield env.timeout(at)
        yield engine.ask(read=0.0, write=write)
        ended[place] = env.now

    for place, (at, write) in enumerate(asked):
        env.process(ask(place, at, write))
    env.run()
    return ended


def test_a_request_alone_and_a_full_batch_get_the_engines_speed() -> None:
    assert _ended(SPEED, [(0, 100)]) == pytest.approx([2.0])
    assert _ended(SPEED, [(0, 100)] * 4) == pytest.approx([4.0] * 4)
    # Two have 50 tokens a second each; from 1 on three have 33 each, until the first two end.
    assert _ended(SPEED, [(0, 100), (0, 100), (1, 100)]) == pytest.approx([2.5, 2.5, 3.5])


def test_a_shared_server_keeps_requests_as_long_as_theory_says() -> None:
    # M/G/1 with processor sharing: mean time = service / (1 - load), whatever the distribution (Kleinrock, 1976).
    speed, draw = Speed(alone=100.0, together=100.0), random.Random(5)
    asked, at = [], 0.0
    for _ in range(40_000):
        at += draw.expovariate(0.5)
        asked.append((at, draw.uniform(50.0, 150.0)))
    took = fmean(end - at for end, (at, _) in zip(_ended(speed, asked), asked, strict=True))
    assert took == pytest.approx(1.0 / (1 - 0.5), rel=0.05)


@pytest.mark.parametrize("scaling", [None, Scaling(most=3)])
def test_every_plan_is_decided_once(scaling: Scaling | None) -> None:
    plans = bursts(100, every_s=HOUR, hours=2)
    told = simulate(Setup(engines=3, scaling=scaling, speed=SPEED), plans)
    assert len(told.took) == len(told.waited) == 200
    assert min(told.took) >= (400 * 0.5) / SPEED.alone


def test_a_fixed_fleet_is_paid_for_all_the_time_and_a_scaled_one_when_it_is_asked() -> None:
    quiet = steady(1, hours=48)
    fixed = simulate(Setup(engines=3, speed=SPEED), quiet)
    scaled = simulate(Setup(engines=3, scaling=Scaling(most=3), speed=SPEED), quiet)
    assert fixed.engine_s == pytest.approx(3 * fixed.ended_at)
    # Each plan pays for one start, its own time and the cooldown at most.
    plans = len(scaled.took)
    assert scaled.engine_s <= plans * (SPEED.start_s + Scaling(most=3).cooldown_s + 120 + max(scaled.took))
    assert max(scaled.waited) >= SPEED.start_s > max(fixed.waited)


def test_a_load_beyond_the_least_brings_engines_up_to_the_most() -> None:
    flood = bursts(400, every_s=HOUR, hours=1)
    few = simulate(Setup(engines=0, scaling=Scaling(most=2), speed=SPEED), flood)
    many = simulate(Setup(engines=0, scaling=Scaling(most=20), speed=SPEED), flood)
    assert max(many.took) < max(few.took) / 3
    assert few.engine_s <= 2 * few.ended_at


def test_tokens_of_a_deliberation_are_those_of_its_calls() -> None:
    work = Work(agents=3, ballot_calls=6, proposal_read=600, proposal_write=400, ballot_read=325, ballot_write=16)
    assert work.written(20.0) == pytest.approx(3 * (400 + 30) + 6 * (16 + 16.25))
