"""An installation is upgraded part by part, as docs/upgrading.md says: both versions share broker and store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, FAILED, approval
from tests.support.fleet import Fleet, Service
from tests.support.observer import Observer, until, watching
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from tests.support.versions import FIELD, earlier_version, has_commit, next_version
from workers.processes.guard import Guard

EARLIER = "9b8f318"
"""Records have had the same form since, while the code changed in every part. Version 0.1 had three databases, so
it shares none with this one. The last release's tag takes this commit's place as soon as there is one."""
WITHIN = 180.0

pytestmark = [pytest.mark.mixed, pytest.mark.timeout(8 * WITHIN)]


@contextmanager
def both(folder: Path, guard: Guard, old: Path | None, new: Path | None) -> Iterator[tuple[Fleet, Fleet, str]]:
    """Start servers and an engine; yield a fleet of either version (None: this one), and the address of NATS."""
    with (
        NatsServer(folder / "nats", guard=guard) as nats,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.05) as engine,
        Fleet(
            folder / "before", guard, nats_url=nats.url, redis_url=valkey.url, engine_url=engine.openai_url
        ) as first,
        Fleet(
            folder / "after", guard, nats_url=nats.url, redis_url=valkey.url, engine_url=engine.openai_url
        ) as second,
    ):
        first.code, second.code = old, new
        services_of(nats.url, valkey.url, first.model)
        yield first, second, nats.url


def started(*services: Service) -> None:
    for service in services:
        service.start(wait=False)
    for service in services:
        service.wait_ready()


async def asked(observer: Observer) -> str:
    """Approve a plan of one role and return its id."""
    plan = approval()
    await observer.publish(APPROVED, plan)
    return str(plan["plan_id"])


async def decided(observer: Observer, *plan_ids: str) -> str:
    """Wait until these are decided by all of their agents; return the last one's deliberation."""
    for plan_id in plan_ids:
        (event,) = await observer.wait(COMPLETED, plan_id=plan_id, within=WITHIN)
        assert event.body["degraded"] is False
    assert observer.of(FAILED) == []
    return str(event.body["deliberation_id"])


def refused(worker: Service) -> bool:
    """Whether the worker met a record of the other version, and left it."""
    return any(
        FIELD in line and "will be tried again" in line for line in worker.log.path.read_text().splitlines()
    )


def command(fleet: Fleet, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the fleet's version."""
    argv = (sys.executable, "-m", "workers.cli", *arguments)
    env = {**os.environ, **fleet.env}
    return subprocess.run(argv, env=env, cwd=fleet.code, capture_output=True, text=True, check=True)


def test_what_the_next_version_writes_waits_for_it_and_fails_nothing(tmp_path: Path, guard: Guard) -> None:
    with both(tmp_path, guard, None, next_version(tmp_path / "code")) as (before, after, nats_url):
        control, model, bridge = before.control(), before.worker(), before.bridge()
        started(control, model, bridge)

        async def upgrade(observer: Observer) -> None:
            first = await decided(observer, await asked(observer))
            started(after.worker())
            model.stop()
            waits = await asked(observer)
            await until(lambda: refused(control), within=WITHIN, what=lambda: str(control.log.tail()))
            started(after.control())
            await decided(observer, waits, *[await asked(observer) for _ in range(4)])
            started(after.bridge())
            bridge.stop()
            plans = [await asked(observer) for _ in range(4)]
            control.stop()
            last = await decided(observer, *plans, await asked(observer))
            # Rolled back: what the next version opened is named, and hides nothing else.
            listed = command(before, "deliberation", "list")
            assert (first in listed.stdout, last in listed.stdout) == (True, False)
            assert f"left out: entry opened of {last} can't be read" in listed.stderr

        watching(nats_url, upgrade)


@pytest.mark.skipif(not has_commit(EARLIER), reason=f"this checkout's history does not hold {EARLIER}")
def test_an_earlier_commit_and_this_one_decide_together(tmp_path: Path, guard: Guard) -> None:
    with both(tmp_path, guard, earlier_version(EARLIER, tmp_path / "code"), None) as (before, after, nats_url):
        parts = {
            fleet: {"control": fleet.control(), "model": fleet.worker(), "bridge": fleet.bridge()}
            for fleet in (before, after)
        }
        old, new = parts[before], parts[after]
        started(*old.values())

        async def there_and_back(observer: Observer) -> None:
            await decided(observer, await asked(observer))
            for name in ("model", "control", "bridge"):
                # Beside its like, then alone with what is old yet.
                started(new[name])
                await decided(observer, *[await asked(observer) for _ in range(4)])
                old[name].stop()
                await decided(observer, await asked(observer))
            for name in ("bridge", "control", "model"):
                started(old[name])
                await decided(observer, *[await asked(observer) for _ in range(4)])
                new[name].stop()
                last = await decided(observer, await asked(observer))
            for fleet in (before, after):
                assert "Winner: " in command(fleet, "deliberation", "show", last).stdout

        watching(nats_url, there_and_back)
