"""What can befall an installation, by name. Each says what its deliberations may fail for: mostly nothing."""

from __future__ import annotations

import asyncio
import json
import random
import time

import nats
from nats.js.api import DiscardPolicy

from tests.acceptance.chaos.append_only_file import AppendOnlyFile
from tests.acceptance.chaos.scenario import Scenario, Scene
from tests.support.clocks import LIBRARY, MISSING, off_by
from tests.support.judge import Terms
from tests.support.sections import sections
from tests.support.spoilt_tasks import spoilt_tasks
from workers.processes.readiness import wait_until

FROZEN_S = 12.0
"""Longer than a dispatch waits for the stream to confirm that a deliberation started."""
SILENT_S = 10.0
WAVE_EVERY_S = 5.0
POWER_FAILURES = 6
LAST_S = 1.0
"""What a power failure costs where the file is synced once a second."""
SEED = 16
TAKEN_IN_WITHIN_S = 120.0
SMALL_BYTES = 4096
PUSHED_OUT_BY = 30
"""Approvals; about three times as many as SMALL_BYTES hold."""


def freeze_nats(scene: Scene) -> None:
    """Many plans wait; NATS stands still while they are dispatched, and control workers die twice meanwhile."""
    stage = scene.stage
    for service in stage.kinds["control"]:
        service.kill9()
    scene.wait_asked(0.8)
    stage.nats.freeze()
    for service in stage.kinds["control"]:
        service.start(wait=False)
    for _ in range(2):
        time.sleep(WAVE_EVERY_S)
        stage.kill_all("control")
    time.sleep(FROZEN_S)
    stage.nats.thaw()
    scene.blow("nats")


def kill_in_waves(scene: Scene) -> None:
    """All control workers die at once, and again when they have taken up the reviews."""
    scene.wait_asked(0.7)
    for _ in range(2):
        scene.wait_open()
        scene.stage.kill_all("control")
        scene.blow("control")
        time.sleep(WAVE_EVERY_S)


def kill_among_skewed(scene: Scene) -> None:
    """The hosts' clocks differ by as much as is tolerated, and control workers die."""
    scene.wait_asked(0.5)
    scene.wait_open()
    scene.stage.kill_all("control")
    scene.blow("control")


def silence_valkey(scene: Scene) -> None:
    """Valkey stands still, so that every process meets exceptions and writes them as text."""
    scene.wait_asked(0.5)
    scene.wait_open()
    scene.stage.valkey.freeze()
    time.sleep(SILENT_S)
    scene.stage.valkey.thaw()
    scene.blow("valkey")


def spoil_tasks(scene: Scene) -> None:
    """Every kind of malformed message that is known lies in the queue of the control workers."""
    scene.wait_asked(0.2)
    broker = sections(scene.stage.valkey.url)["broker"]
    for message in spoilt_tasks(random.Random(SEED), 0):
        broker.client.lpush(broker.key("control"), json.dumps(message))
    scene.blow("messages")
    assert wait_until(lambda: not broker.client.llen(broker.key("control")), within=TAKEN_IN_WITHIN_S)
    assert broker.client.hlen(broker.key("parked")) > 0, "nothing was put aside"
    assert all(service.running for service in scene.stage.everybody()), "a message ended a process"


def cut_the_append_only_file(scene: Scene) -> None:
    """The power fails, again and again: Valkey comes back without what it wrote in its last second."""
    with AppendOnlyFile(scene.stage.valkey.folder) as written:
        for blow in range(1, POWER_FAILURES + 1):
            scene.wait_asked(blow / (POWER_FAILURES + 2))
            scene.wait_open()
            scene.stage.valkey.kill9()
            written.cut(LAST_S)
            scene.stage.valkey.start()
            scene.stage.supervise()
            scene.blow("valkey")


def empty_the_store(scene: Scene) -> None:
    """Somebody flushes the database while deliberations are open, and applies the councils again."""
    scene.wait_asked(0.6)
    scene.wait_open()
    services = scene.stage.services
    councils = services.councils.all()
    sections(scene.stage.valkey.url)["store"].client.flushall()
    for council in councils:
        services.councils.save(council)
    scene.blow("valkey")


def small_planning_stream(nats_url: str) -> None:
    """Make a stream for approvals, as an operator might, that holds about ten and forgets its oldest."""

    async def make() -> None:
        client = await nats.connect(nats_url)
        await client.jetstream().add_stream(
            name="PLANS", subjects=["planning.>"], max_bytes=SMALL_BYTES, discard=DiscardPolicy.OLD
        )
        await client.close()

    asyncio.run(make())


def overflow_planning_stream(scene: Scene) -> None:
    """While no bridge runs, more approvals come than their stream holds; what is pushed out must be reported."""
    scene.wait_asked(0.3)
    (bridge,) = scene.stage.kinds["bridge"]
    bridge.stop()
    scene.wait_more(PUSHED_OUT_BY)
    bridge.start()
    scene.blow("bridge")
    assert wait_until(lambda: scene.stage.reported_lost() > 0, within=TAKEN_IN_WITHIN_S), "no loss was reported"


def _no_faketime() -> str:
    return "" if LIBRARY else MISSING


SKEWED = {"control": off_by(20.0), "worker": off_by(-20.0)}

SCENARIOS = (
    Scenario("two waves of kills during slow reviews", kill_in_waves, latency_s=1.5),
    Scenario("NATS frozen while dispatching", freeze_nats, Terms(nats_stayed=False)),
    Scenario("Valkey silent, text logs", silence_valkey, env={"CONCLAVE_LOG_JSON": "false"}),
    Scenario("every malformed task message", spoil_tasks),
    Scenario("the append-only file cut", cut_the_append_only_file, latency_s=0.8),
    Scenario("the store emptied", empty_the_store, latency_s=0.8),
    Scenario("a full planning stream", overflow_planning_stream, prepare=small_planning_stream),
    Scenario("skewed clocks", kill_among_skewed, own=SKEWED, needs=_no_faketime),
)
