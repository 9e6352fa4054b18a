"""Schedule: re-deliberations are kept by name, replaced, removed, and refused where their time never comes."""

from __future__ import annotations

import pytest

from domain.errors import InvalidCron
from domain.ports.schedule import Schedule
from domain.schedule import ScheduledRedeliberation, default_name
from tests.support.factories import fresh
from tests.support.in_memory.schedule import MemorySchedule
from tests.support.servers import ValkeyServer
from workers.adapters.redis.schedule import RedBeatSchedule
from workers.app import make_app
from workers.settings import Settings


@pytest.fixture(params=["memory", "redis"])
def schedule(request: pytest.FixtureRequest) -> Schedule:
    if request.param == "memory":
        return MemorySchedule()
    server: ValkeyServer = request.getfixturevalue("valkey_server")
    settings = Settings.model_validate({"redis_url": server.url, "key_prefix": f"{fresh('schedule')}:"})
    return RedBeatSchedule(make_app(settings))


def nightly(**changes: str) -> ScheduledRedeliberation:
    values = {"name": "nightly", "plan_id": "plan {1}: a/b", "role": "DÉV ops", "cron": "0 6 * * *"}
    return ScheduledRedeliberation.model_validate(values | changes)


def test_nothing_is_scheduled_at_first(schedule: Schedule) -> None:
    assert schedule.all() == ()


def test_all_come_back_by_name_with_what_they_hold(schedule: Schedule) -> None:
    weekly = nightly(name="a.weekly", cron="*/5 1,2 1-7 * mon-fri")
    for scheduled in (nightly(), weekly):
        schedule.put(scheduled)
    assert schedule.all() == (weekly, nightly())


def test_one_takes_the_place_of_its_names_earlier_one(schedule: Schedule) -> None:
    schedule.put(nightly())
    schedule.put(nightly(cron="30 7 * * *", role="QA"))
    assert schedule.all() == (nightly(cron="30 7 * * *", role="QA"),)


def test_a_removed_one_is_gone_and_removing_says_whether_there_was_one(schedule: Schedule) -> None:
    schedule.put(nightly())
    assert schedule.remove("nightly")
    assert not schedule.remove("nightly")
    assert schedule.all() == ()


@pytest.mark.parametrize(
    "cron", ["", "* * * *", "61 * * * *", "a b c d e", "0 0 30 2 *", "* * * * * *", "*/0 * * * *"]
)
def test_a_time_that_never_comes_is_refused_and_the_earlier_one_stays(schedule: Schedule, cron: str) -> None:
    schedule.put(nightly())
    with pytest.raises(InvalidCron, match="cron"):
        schedule.put(nightly(cron=cron))
    assert schedule.all() == (nightly(),)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "x" * 101, "new\nline"])
def test_a_name_that_can_not_be_typed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        nightly(name=name)


def test_default_names_tell_plan_and_role_and_differ() -> None:
    assert default_name("plan-1", "DEV") == "plan-1.DEV"
    odd = {default_name(plan, "DEV") for plan in ("a b", "a/b", "a:b", "x" * 300, "x" * 301)}
    assert len(odd) == 5
    for name in odd:
        assert nightly(name=name).name == name
