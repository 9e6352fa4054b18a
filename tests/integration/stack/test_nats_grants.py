"""What the shipped NATS users may do; what they may not is in test_nats_users.py."""

from __future__ import annotations

import asyncio

import pytest
from nats.errors import NoRespondersError
from nats.js.api import ConsumerConfig

from tests.support.secured import SecuredNats, nats_login

pytestmark = pytest.mark.usefixtures("streams")
WITHIN = 60.0
API = "conclave.api"
"""What the JetStream API of observers begins with."""


@pytest.mark.parametrize("user", ["publisher", "client", "page"])
def test_what_a_publisher_publishes_is_stored_and_confirmed(secured_nats: SecuredNats, user: str) -> None:
    async def scenario() -> str:
        async with nats_login(secured_nats, user) as client:
            return (await client.jetstream().publish("planning.plan.approved", b"{}")).stream

    assert asyncio.run(scenario()) == "PLANNING_EVENTS"


def test_an_observer_hears_what_a_worker_publishes_and_reads_it_later(secured_nats: SecuredNats) -> None:
    async def scenario() -> tuple[bytes, bytes | None]:
        async with nats_login(secured_nats, "observer") as observer, nats_login(secured_nats, "worker") as worker:
            subscription = await observer.subscribe("orchestration.>")
            await observer.flush()
            place = await worker.jetstream().publish("orchestration.deliberation.completed", b'{"n": 1}')
            heard = await subscription.next_msg(WITHIN)
            read = await observer.jetstream(prefix=API).get_msg("ORCHESTRATOR_EVENTS", place.seq)
            return heard.data, read.data

    assert asyncio.run(scenario()) == (b'{"n": 1}', b'{"n": 1}')


def test_a_client_approves_and_hears_what_becomes_of_it(secured_nats: SecuredNats) -> None:
    async def scenario() -> bytes:
        async with nats_login(secured_nats, "client") as client, nats_login(secured_nats, "worker") as worker:
            subscription = await client.subscribe("orchestration.deliberation.completed")
            await client.jetstream().publish("planning.plan.approved", b"{}")
            await worker.jetstream().publish("orchestration.deliberation.completed", b'{"n": 2}')
            return (await subscription.next_msg(WITHIN)).data

    assert asyncio.run(scenario()) == b'{"n": 2}'


@pytest.mark.parametrize("user", ["observer", "client"])
def test_others_pull_from_the_durable_that_an_operator_made_for_them(secured_nats: SecuredNats, user: str) -> None:
    async def scenario() -> str:
        async with nats_login(secured_nats, "bridge") as bridge, nats_login(secured_nats, user) as theirs:
            await bridge.jetstream().add_consumer("ORCHESTRATOR_EVENTS", ConsumerConfig(durable_name=user))
            await bridge.jetstream().publish("orchestration.plan.dispatched", b"{}")
            stream = theirs.jetstream(prefix=API)
            durable = await stream.pull_subscribe_bind(user, stream="ORCHESTRATOR_EVENTS")
            (message,) = await durable.fetch(1, timeout=WITHIN)
            await message.ack_sync(timeout=WITHIN)
            return message.subject

    assert asyncio.run(scenario()).startswith("orchestration.")


def test_a_monitor_may_ask_the_bridges_how_they_are(secured_nats: SecuredNats) -> None:
    async def scenario() -> None:
        async with nats_login(secured_nats, "observer") as observer:
            await observer.request("$SRV.PING", timeout=WITHIN)

    # No bridge runs that could answer; the question itself was let through.
    with pytest.raises(NoRespondersError):
        asyncio.run(scenario())
