"""Hosts whose clocks differ tell one time, which goes on while the store is away; one that is far off stops."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Unreachable

from workers.adapters.redis.clock import REFRESH_S, RedisClock
from workers.errors import Unavailable
from workers.skew import MAX_SKEW_S, SkewWatch, refuse_skewed


class World:
    """One true time, a store that knows it, and a host whose clock is off."""

    def __init__(self, *, host_ahead: float = 0.0) -> None:
        self.true, self.host_ahead = 1_700_000_000.0, host_ahead
        self.booted_at = self.true - 77
        self.looks, self.away, self.answer_s = 0, False, 0.0

    def pass_(self, seconds: float) -> None:
        self.true += seconds

    def time(self) -> tuple[int, int]:
        """Answer as the store's client does."""
        self.looks += 1
        if self.away:
            raise Unreachable("away")
        seconds, micros = divmod(round(self.true * 1e6), 10**6)
        self.true += self.answer_s
        return seconds, micros

    def clock(self, **options: Any) -> RedisClock:
        client: Any = self
        return RedisClock(
            client, host=lambda: self.true + self.host_ahead, steady=lambda: self.true - self.booted_at, **options
        )


@pytest.mark.parametrize("ahead", [-3600.0, -0.4, 0.0, 3600.0])
def test_the_time_is_the_stores_whatever_the_hosts_clock_says(ahead: float) -> None:
    world = World(host_ahead=ahead)
    clock = world.clock()
    assert clock.now() == pytest.approx(world.true, abs=1e-3)
    assert clock.skew() == pytest.approx(ahead, abs=1e-3)


def test_the_store_is_asked_once_in_a_while_and_not_for_every_reading() -> None:
    world = World(host_ahead=5)
    clock = world.clock()
    for _ in range(1000):
        world.pass_(REFRESH_S / 1000)
        assert clock.now() == pytest.approx(world.true, abs=1e-3)
    assert world.looks <= 2


def test_time_goes_on_while_the_store_is_away() -> None:
    world = World(host_ahead=-100)
    clock = world.clock()
    clock.now()
    world.away = True
    world.pass_(10 * REFRESH_S)
    assert clock.now() == pytest.approx(world.true, abs=1e-3)


def test_before_the_first_answer_the_hosts_clock_stands_in() -> None:
    world = World(host_ahead=-3)
    world.away = True
    clock = world.clock()
    assert clock.now() == pytest.approx(world.true - 3)
    assert clock.skew() is None
    world.away = False
    world.pass_(2)
    assert clock.now() == pytest.approx(world.true, abs=1e-3)


def test_a_clock_that_is_set_and_a_host_that_slept_are_noticed_at_once() -> None:
    world = World()
    seen: list[float] = []
    clock = world.clock(observe=seen.append)
    clock.now()
    world.host_ahead = 3600
    assert clock.now() == pytest.approx(world.true, abs=1e-3)
    world.pass_(5000)
    world.booted_at += 5000
    assert clock.now() == pytest.approx(world.true, abs=1e-3)
    assert [round(one) for one in seen] == [0, 3600, 3600]


def test_a_slow_answer_does_not_spoil_a_good_measure() -> None:
    world = World()
    clock = world.clock()
    clock.now()
    world.pass_(REFRESH_S + 1)
    world.answer_s = 4.0
    assert clock.now() == pytest.approx(world.true, abs=1e-3)


@pytest.mark.parametrize("ahead", [-2 * MAX_SKEW_S, 2 * MAX_SKEW_S])
def test_a_host_that_is_far_off_is_refused_with_a_sentence(ahead: float) -> None:
    with pytest.raises(Unavailable, match=r"60\.0 s .* Valkey's, and 30 s are tolerated"):
        refuse_skewed(World(host_ahead=ahead).clock())
    refuse_skewed(World(host_ahead=ahead / 3).clock())
    away = World(host_ahead=ahead)
    away.away = True
    refuse_skewed(away.clock())


def test_a_process_whose_clock_goes_wrong_ends_as_on_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _, number: sent.append(number))
    watch = SkewWatch()
    for ahead in (0.0, 0.2, 20.0, 0.0):
        watch(ahead)
    assert sent == []
    for ahead in (-31.0, -31.2):
        watch(ahead)
    assert sent == [signal.SIGTERM]
