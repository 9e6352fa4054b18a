"""`conclave reconcile` gives a store back what only the streams hold."""

from __future__ import annotations

import asyncio
import json

import nats
import pytest

from bridge.options import StreamLimits
from bridge.streams import all_streams, ensure
from bridge.subjects import PLAN_APPROVED, durable_name
from domain.entry import Opened
from domain.services import Services
from tests.integration.bridge.conftest import approval
from tests.support.commands import Run, sentence
from tests.support.factories import deliberation, fresh
from tests.support.servers import NatsServer
from workers.adapters.redis.keys import Keys
from workers.settings import Settings
from workers.store_ports import StorePorts


async def delivered(url: str, plan_id: str) -> None:
    client = await nats.connect(url)
    stream = client.jetstream()
    for plan in all_streams():
        await ensure(stream, plan, StreamLimits())
    await stream.publish(PLAN_APPROVED, approval(plan_id))
    pull = await stream.pull_subscribe(PLAN_APPROVED, durable=durable_name("conclave", PLAN_APPROVED))
    for message in await pull.fetch(100, timeout=10):
        await message.ack_sync()
    await client.close()


def test_a_lost_approval_is_taken_in_again_once(own_nats: NatsServer, services: Services, run: Run) -> None:
    plan_id = fresh("lost")
    asyncio.run(delivered(own_nats.url, plan_id))
    done = run("reconcile", "--json")
    assert done.exit_code == 0, done.output
    (request_id,) = json.loads(done.stdout)["taken_in"][-1:]
    assert services.plans.load(request_id).plan.plan_id == plan_id
    again = run("reconcile")
    assert again.stdout.strip() == "nothing was missing"


def test_what_is_past_retention_is_not_taken_in_again(
    own_nats: NatsServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(delivered(own_nats.url, fresh("old")))
    monkeypatch.setenv("CONCLAVE_RETENTION_S", "0.001")
    assert run("reconcile", "--days", "30").stdout.strip() == "nothing was missing"


def test_cancelling_in_a_store_that_may_have_forgotten_says_what_to_do(
    environment: Settings, services: Services, run: Run
) -> None:
    opened = deliberation()
    services.deliberations.record(opened.deliberation_id, Opened(deliberation=opened))
    StorePorts(environment).store.delete(Keys(environment.key_prefix).continuity)
    assert "conclave reconcile" in sentence(run("deliberation", "cancel", opened.deliberation_id))
    assert run("reconcile").exit_code == 0
    assert run("deliberation", "cancel", opened.deliberation_id).exit_code == 0


def test_without_nats_it_says_so(environment: Settings, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_NATS_URL", "nats://127.0.0.1:9")
    assert "does not answer" in sentence(run("reconcile"))
