"""Deliberating again on a running fleet: by rule, by the clock, and with a standby where beat is killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redbeat import RedBeatSchedulerEntry  # type: ignore[import-untyped]

from domain.services import Services
from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, STARTED, approval
from tests.support import commands
from tests.support.commands import Run
from tests.support.factories import fresh
from tests.support.fleet import Fleet, Service
from tests.support.observer import Observer, until, watching
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.app import make_app
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until
from workers.settings import Settings
from workers.stack.layout import StackOptions
from workers.stack.run import embedded_stack

CANCELLED = "orchestration.deliberation.cancelled"
STALE = {
    "CONCLAVE_REDELIBERATION_STALE_AFTER_S": "2",
    "CONCLAVE_REDELIBERATION_COOL_DOWN_S": "0",
    "CONCLAVE_REDELIBERATION_MAX_REVISIONS": "1",
}
TEN_A_SECOND = {**STALE, "CONCLAVE_REDELIBERATION_EVERY_S": "0.1"}
TICKS = 100
TAKEN_OVER_WITHIN = 120.0


@dataclass(frozen=True)
class Operated:
    """A fleet without beat: each test starts its own."""

    fleet: Fleet
    services: Services
    nats_url: str
    valkey: ValkeyServer
    engine: ScriptedEngine


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Operated]:
    folder = tmp_path_factory.mktemp("redeliberation")
    with (
        NatsServer(folder / "nats", guard=guard) as nats,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.05) as engine,
        Fleet(folder, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=engine.openai_url) as fleet,
    ):
        running = [fleet.bridge(), fleet.control(threads=8, **STALE), fleet.worker(threads=8)]
        for one in running:
            one.start(wait=False)
        for one in running:
            one.wait_ready()
        yield Operated(fleet, services_of(nats.url, valkey.url, fleet.model), nats.url, valkey, engine)


@pytest.fixture
def run(operated: Operated, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run commands that find this fleet's servers."""
    for name, value in operated.fleet.env.items():
        monkeypatch.setenv(name, value)
    return commands.run


def sent(beat: Service) -> list[dict[str, Any]]:
    """Return the log lines in which a beat says that it sends the rules' task, oldest first."""
    lines = beat.log.path.read_text().splitlines()
    return [json.loads(line) for line in lines if "Sending due task redeliberate " in line]


def said(beat: Service, state: str) -> int:
    """Count how often a beat said that it came into a state: acts, stands by, waits."""
    return beat.log.path.read_text().count(f'"beat {state}"')


def acts(beat: Service) -> bool:
    return said(beat, "acts") > 0


async def stale_is_decided_again(observer: Observer) -> None:
    asked = approval()
    await observer.publish(APPROVED, asked)
    first, second = await observer.wait(COMPLETED, count=2, within=60, plan_id=asked["plan_id"])
    assert first.body["supersedes"] is None
    assert second.body["supersedes"] == first.body["deliberation_id"]
    assert second.body["deliberation_id"] != first.body["deliberation_id"]
    same = second.body["winner"]["agent_id"] == first.body["winner"]["agent_id"]
    assert second.body["winner_changed"] in ({False, True} if same else {True})
    assert len(second.body["decisions"]) == len(first.body["decisions"]) + 1


def test_what_went_stale_is_decided_again_and_says_what_it_supersedes(operated: Operated) -> None:
    beat = operated.fleet.beat(**STALE, CONCLAVE_REDELIBERATION_EVERY_S="1").start()
    try:
        watching(operated.nats_url, stale_is_decided_again)
    finally:
        beat.kill9()


def test_the_embedded_stack_decides_again_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**STALE, "CONCLAVE_REDELIBERATION_EVERY_S": "1"}.items():
        monkeypatch.setenv(name, value)
    with ScriptedEngine(latency_s=0.05) as engine:
        options = StackOptions(engine=engine.openai_url, model=engine.model)
        with embedded_stack(tmp_path / "state", options) as (stack, where):
            stack.wait_ready(120)
            services_of(where.nats_url, where.redis_url, engine.model)
            watching(where.nats_url, stale_is_decided_again)


def test_of_two_beats_one_acts_and_the_other_takes_over_when_it_is_killed(operated: Operated) -> None:
    async def scenario(observer: Observer) -> None:
        asked = approval()
        await observer.publish(APPROVED, asked)
        await until(lambda: len(sent(active)) >= TICKS, within=90, what=lambda: f"{len(sent(active))} ticks")
        assert not acts(standby)
        assert sent(standby) == []
        active.kill9()
        await until(
            lambda: len(sent(standby)) > 10, within=TAKEN_OVER_WITHIN, what=lambda: str(standby.log.tail())
        )
        assert sent(active)[-1]["timestamp"] < sent(standby)[0]["timestamp"]
        await observer.wait(COMPLETED, count=2, plan_id=asked["plan_id"])
        witness = approval()
        await observer.publish(APPROVED, witness)
        await observer.wait(COMPLETED, count=2, plan_id=witness["plan_id"])
        assert len(observer.of(COMPLETED, plan_id=asked["plan_id"])) == 2

    active = operated.fleet.beat(**TEN_A_SECOND).start()
    active_acts(active)
    standby = operated.fleet.beat(**TEN_A_SECOND).start()
    try:
        watching(operated.nats_url, scenario)
    finally:
        for one in (active, standby):
            if one.running:
                one.kill9()


def test_a_beat_that_was_frozen_stands_by_behind_its_successor(operated: Operated) -> None:
    active = operated.fleet.beat(**TEN_A_SECOND).start()
    active_acts(active)
    standby = operated.fleet.beat(**TEN_A_SECOND).start()
    try:
        assert wait_until(lambda: bool(sent(active)), within=120)
        os.kill(active.pid, signal.SIGSTOP)
        active_acts(standby)
        before = len(sent(active))
        os.kill(active.pid, signal.SIGCONT)
        assert wait_until(lambda: said(active, "stands by") > 0, within=120), active.log.tail()
        assert len(sent(active)) <= before + 1  # what it had in hand when it was stopped
        standby.kill9()
        assert wait_until(lambda: said(active, "acts") == 2, within=TAKEN_OVER_WITHIN), active.log.tail()
    finally:
        for one in (active, standby):
            if one.running:
                one.kill9()


@pytest.mark.timeout(480)
def test_beats_wait_for_a_store_that_is_long_away_and_one_acts_when_it_is_back(operated: Operated) -> None:
    """One was there before, one is started while nothing answers; both have given up asking once."""
    first = operated.fleet.beat(**TEN_A_SECOND).start()
    second = operated.fleet.beat(**TEN_A_SECOND)
    try:
        active_acts(first)
        assert wait_until(lambda: bool(sent(first)), within=120)
        # A moment between two rounds, not a wait: it only saves time, see below.
        time.sleep(0.05)
        operated.valkey.kill9()
        second.start()
        away = [first, second]
        # One that was publishing goes on trying for as long as an outage may last, a minute and more.
        assert wait_until(lambda: all(said(one, "waits") for one in away), within=240), second.log.tail()
        before = {one.pid: len(sent(one)) for one in away}
        operated.valkey.start()

        def since() -> list[int]:
            return sorted(len(sent(one)) - before[one.pid] for one in away)

        assert wait_until(lambda: since()[1] >= TICKS, within=90), since()
        assert since()[0] == 0
        assert all(one.stop() == 0 for one in away)
    finally:
        if not operated.valkey.running:
            operated.valkey.start()
        for one in (first, second):
            if one.running:
                one.kill9()


def test_a_schedule_added_while_beat_runs_is_followed_and_a_removed_one_is_not(
    operated: Operated, run: Run
) -> None:
    async def scenario(observer: Observer) -> None:
        asked = approval(roles=["QA"])
        plan_id = asked["plan_id"]
        await observer.publish(APPROVED, asked)
        (first,) = await observer.wait(COMPLETED, plan_id=plan_id)
        added = run("schedule", "add", "--plan", plan_id, "--role", "QA", "--cron", "0 6 * * *", "--name", name)
        assert added.exit_code == 0, added.stderr
        its_time_has_come(operated, name)
        second = (await observer.wait(COMPLETED, count=2, within=60, plan_id=plan_id))[1]
        assert second.body["supersedes"] == first.body["deliberation_id"]
        third = run("schedule", "run-now", name).stdout.strip()
        await observer.wait(COMPLETED, deliberation_id=third, supersedes=second.body["deliberation_id"])
        assert run("schedule", "rm", name).exit_code == 0
        assert json.loads(run("schedule", "list", "--json").stdout) == []
        assert len(observer.of(COMPLETED, plan_id=plan_id)) == 3

    name = fresh("nightly")
    beat = operated.fleet.beat().start()
    try:
        watching(operated.nats_url, scenario)
    finally:
        beat.kill9()


def test_a_deliberation_that_is_cancelled_asks_no_model_any_more(operated: Operated, run: Run) -> None:
    script = operated.engine.script

    async def scenario(observer: Observer) -> None:
        asked, witness = approval(title=fresh("title")), approval()
        script.latency_s = 1.0
        await observer.publish(APPROVED, asked)
        (started,) = await observer.wait(STARTED, plan_id=asked["plan_id"])
        identity = started.body["deliberation_id"]
        await until(lambda: script.in_flight == 3, within=120, what=lambda: f"{script.in_flight} of 3 calls")
        cancelled = run("deliberation", "cancel", identity, "--reason", "the plan was dropped")
        assert cancelled.exit_code == 0, cancelled.stderr
        (event,) = await observer.wait(CANCELLED, deliberation_id=identity)
        assert event.body["reason"] == "the plan was dropped"
        await until(lambda: script.in_flight == 0, within=120, what=lambda: "calls are still running")
        await observer.publish(APPROVED, witness)
        await observer.wait(COMPLETED, plan_id=witness["plan_id"])
        about_it = [body for body in operated.engine.bodies if asked["title"] in json.dumps(body)]
        assert len(about_it) == 3
        assert observer.of(COMPLETED, plan_id=asked["plan_id"]) == []

    before = script.latency_s
    try:
        watching(operated.nats_url, scenario)
    finally:
        script.latency_s = before


def active_acts(beat: Service) -> None:
    """Return when the beat holds the lock; an earlier test's killed beat may have left it behind."""
    assert wait_until(lambda: acts(beat), within=TAKEN_OVER_WITHIN), beat.log.tail()


def its_time_has_come(operated: Operated, name: str) -> None:
    """Let a schedule look as if it had run two days ago last."""
    app = make_app(Settings.model_validate({"redis_url": operated.valkey.url}))
    entry = RedBeatSchedulerEntry.from_key(f"conclave:beat:standing:{name}", app=app)
    entry.reschedule(datetime.now(UTC) - timedelta(days=2))
