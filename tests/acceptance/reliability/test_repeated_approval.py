"""The same approval a hundred times, from ten publishers, while bridges die with it in hand: decided once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from redis import Redis

from domain.record import DeliberationState
from tests.acceptance.chaos.engine import calls
from tests.acceptance.chaos.stage import Stage, staged
from tests.acceptance.conftest import ROLES
from tests.acceptance.reliability.lag import unfetched
from tests.acceptance.reliability.unfinished import finish
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, DISPATCHED, STARTED, approval
from tests.support.recorded import recorded
from tests.support.servers import ValkeyServer
from workers.processes.guard import Guard

PUBLISHERS = 10
ROUNDS, EACH = 5, 2
"""Every publisher sends so often in each round, and in each a bridge is killed."""
ENV = {"CONCLAVE_BRIDGE_ACK_WAIT_S": "2"}
FLEET = {"beat": 1, "bridge": 2, "control": 2, "worker": 1}
"""With beat, since what a dispatch opened and failed to queue is the sweep's to find."""
WITHIN_S = 120.0
HELD_MS = 60_000
"""Longer than a round; writing goes on when the round says so."""

pytestmark = pytest.mark.timeout(3 * WITHIN_S)


def test_a_hundred_times_the_same_approval_is_one_deliberation_per_role(tmp_path: Path, guard: Guard) -> None:
    wanted = approval(roles=list(ROLES))
    with staged(tmp_path, guard, latency_s=0.3, count=FLEET, env=ENV) as stage:
        events = Counter(asyncio.run(_scenario(stage, wanted)))
        asked = calls(stage.engine_url)
        records = [
            stage.services.deliberations.load(one)
            for one in stage.services.deliberations.of_plan(wanted["plan_id"])
        ]

    once_a_role = {(subject, role): 1 for subject in (STARTED, COMPLETED) for role in ROLES}
    assert events == {**once_a_role, (DISPATCHED, ""): 1}
    assert sorted((record.deliberation.role, record.state) for record in records) == [
        (role, DeliberationState.DECIDED) for role in sorted(ROLES)
    ]
    assert (asked.answered, asked.answered_again) == (asked.asked, 0), "the engine was asked something twice"


async def _scenario(stage: Stage, wanted: dict[str, object]) -> list[tuple[str, str]]:
    """Return subject and role of every event but progress that the stream holds in the end."""
    async with AsyncExitStack() as stack:
        publishers = [await nats.connect(stage.nats.url) for _ in range(PUBLISHERS)]
        for publisher in publishers:
            stack.push_async_callback(publisher.close)
        for number in range(ROUNDS):
            for bridge in stage.kinds["bridge"]:  # one alone may hold all that it can, and writing be held for it
                await asyncio.to_thread(bridge.wait_ready)
            victim = stage.kinds["bridge"][number % 2]
            with writing_held(stage.valkey) as let_go:
                await _send(publishers, json.dumps(wanted).encode())
                if number % 3:
                    let_go()
                victim.kill9()
            victim.start(wait=False)
        await finish(stage, within=WITHIN_S)
    events = await recorded(stage.nats.url, "orchestration.>")
    return [(one.subject, one.body.get("role", "")) for one in events if not one.subject.endswith(".progress")]


async def _send(publishers: list[Client], data: bytes) -> None:
    """Publish at once, and return when bridges have everything in their hands."""
    await asyncio.gather(*(one.jetstream().publish(APPROVED, data) for one in publishers for _ in range(EACH)))
    async with asyncio.timeout(WITHIN_S):
        while await unfetched(publishers[0], APPROVED):
            await asyncio.sleep(0.01)


@contextmanager
def writing_held(valkey: ValkeyServer) -> Iterator[Callable[[], None]]:
    """Have the server answer questions and hold back what writes, until the function is called or the end.

    A bridge that takes messages in meanwhile is held with them in its hands.
    """
    with Redis.from_url(valkey.url) as client:
        client.client_pause(HELD_MS, all=False)
        yield client.client_unpause
        client.client_unpause()
