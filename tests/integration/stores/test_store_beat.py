"""Beat's scheduler on a real Valkey: whatever it missed while frozen or cut off, nothing is sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery.schedules import schedule
from redis import Redis
from redis.exceptions import LockNotOwnedError

from domain.schedule import ScheduledRedeliberation
from tests.support.factories import fresh
from tests.support.servers import ValkeyServer
from workers.adapters.redis.encoding import texts
from workers.adapters.redis.schedule import RedBeatSchedule
from workers.app import make_app
from workers.beat import BeatScheduler
from workers.processes.guard import Guard
from workers.settings import Settings
from workers.store_ports import store_client

TASK = "deliberation.sweep"


@pytest.fixture
def settings(tmp_path: Path, guard: Guard) -> Iterator[Settings]:
    with ValkeyServer(tmp_path / "valkey", guard=guard) as server:
        yield Settings.model_validate({"redis_url": server.url, "key_prefix": f"{fresh('beat')}:"})


@pytest.fixture
def store(settings: Settings) -> Redis:
    return store_client(settings)


def beat(settings: Settings) -> BeatScheduler:
    return BeatScheduler(make_app(settings))


def sent(settings: Settings) -> int:
    """Count the messages in the control workers' queue."""
    return int(store_client(settings).llen(f"{settings.broker_prefix}control"))


def lock_runs_out(beat: BeatScheduler, store: Redis) -> None:
    assert store.delete(beat.app.redbeat_conf.lock_key) == 1


def due(beat: BeatScheduler) -> Any:
    """Put an entry into the schedule that is due at once and then not for an hour."""
    entry = beat.Entry(fresh("due"), TASK, schedule(3600.0), app=beat.app)
    entry.last_run_at = None
    return entry.save()


def acts(beat: BeatScheduler, settings: Settings) -> bool:
    """Let a beat look once, with something due, and say whether it sent that."""
    due(beat)
    before = sent(settings)
    beat.tick()
    return sent(settings) > before


def test_of_two_beats_one_acts_and_hands_over_when_it_stops(settings: Settings) -> None:
    first, second = beat(settings), beat(settings)
    assert acts(first, settings)
    assert not acts(second, settings)
    first.close()
    assert acts(second, settings)


def test_a_beat_sends_nothing_that_was_due_before_its_lock_ran_out(settings: Settings, store: Redis) -> None:
    """It found an entry due, was frozen, and goes on when another has sent it."""
    first, second = beat(settings), beat(settings)
    first.tick()
    entry = due(first)
    lock_runs_out(first, store)
    second.tick()
    assert sent(settings) == 1
    with pytest.raises(LockNotOwnedError):
        first.maybe_due(entry, producer=first.producer)
    assert sent(settings) == 1


def test_a_beat_whose_lock_ran_out_asks_for_it_again_behind_the_others(settings: Settings, store: Redis) -> None:
    first, second = beat(settings), beat(settings)
    assert acts(first, settings)
    lock_runs_out(first, store)
    assert acts(second, settings)
    assert not acts(first, settings)
    assert not acts(first, settings)
    second.close()
    assert acts(first, settings)


def test_what_is_sent_once_is_not_due_again_for_whoever_comes_next(settings: Settings) -> None:
    first, second = beat(settings), beat(settings)
    assert acts(first, settings)
    first.close()
    before = sent(settings)
    second.tick()
    assert sent(settings) == before


def test_a_schedule_that_is_removed_while_it_is_due_is_not_sent(settings: Settings) -> None:
    scheduler, schedules = beat(settings), RedBeatSchedule(make_app(settings))
    scheduler.tick()
    schedules.put(ScheduledRedeliberation(name="nightly", plan_id="plan-7", role="DEV", cron="* * * * *"))
    entry = scheduler.Entry.from_key(f"{settings.key_prefix}beat:standing:nightly", app=scheduler.app)
    entry.last_run_at = None
    assert schedules.remove("nightly")
    scheduler.maybe_due(entry, producer=scheduler.producer)
    assert sent(settings) == 0


def test_a_store_that_came_back_empty_gets_the_fixed_entries_again(settings: Settings, store: Redis) -> None:
    scheduler = beat(settings)

    def scheduled() -> set[str]:
        return set(texts(store.zrange(scheduler.app.redbeat_conf.schedule_key, 0, -1)))

    scheduler.tick()
    before = scheduled()
    assert before
    store.flushdb()
    for _ in range(2):
        scheduler.tick()
    assert scheduled() == before
