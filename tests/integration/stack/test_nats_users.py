"""What the shipped NATS users may do, and what they may not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error, NoRespondersError
from nats.js.api import ConsumerConfig

from bridge.options import StreamLimits
from bridge.streams import ALL, ensure
from tests.support.secured import SecuredNats

Act = Callable[[Client], Awaitable[object]]
WITHIN = 10.0


@asynccontextmanager
async def login(server: SecuredNats, user: str, refusals: list[str] | None = None) -> AsyncIterator[Client]:
    async def note(error: Exception) -> None:
        if refusals is not None:
            refusals.append(str(error).lower())

    prefix = "_INBOX" if user in {"bridge", "worker"} else f"_INBOX_{user}"
    client = await nats.connect(server.url_of(user), inbox_prefix=prefix.encode(), error_cb=note)
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture(scope="module", autouse=True)
def streams(secured_nats: SecuredNats) -> None:
    async def create() -> None:
        async with login(secured_nats, "bridge") as client:
            for plan in ALL:
                await ensure(client.jetstream(), plan, StreamLimits())

    asyncio.run(create())


def publish(subject: str) -> Act:
    return lambda client: client.publish(subject, b"{}")


def subscribe(subject: str) -> Act:
    return lambda client: client.subscribe(subject)


@pytest.mark.parametrize(
    ("user", "act"),
    [
        ("publisher", publish("orchestration.deliberation.completed")),
        ("publisher", publish("conclave.dead_letter.planning.plan.approved")),
        ("publisher", publish("$JS.API.STREAM.MSG.GET.PLANNING_EVENTS")),
        ("publisher", publish("$JS.API.CONSUMER.CREATE.PLANNING_EVENTS.mine")),
        ("publisher", subscribe("planning.>")),
        ("publisher", subscribe("orchestration.>")),
        ("publisher", subscribe("_INBOX.>")),
        ("publisher", subscribe(">")),
        ("observer", publish("planning.plan.approved")),
        ("observer", publish("deliberation.requested")),
        ("observer", publish("orchestration.deliberation.completed")),
        ("observer", publish("$JS.API.CONSUMER.CREATE.ORCHESTRATOR_EVENTS.mine")),
        ("observer", publish("$JS.API.CONSUMER.MSG.NEXT.ORCHESTRATOR_EVENTS.another-users")),
        ("observer", publish("$JS.API.STREAM.DELETE.ORCHESTRATOR_EVENTS")),
        ("observer", subscribe("_INBOX.>")),
        ("worker", publish("planning.plan.approved")),
        ("worker", publish("$JS.API.STREAM.PURGE.ORCHESTRATOR_EVENTS")),
        ("worker", subscribe("planning.>")),
        ("bridge", publish("$JS.API.STREAM.DELETE.PLANNING_EVENTS")),
        ("bridge", publish("$JS.API.STREAM.CREATE.OTHER")),
        ("bridge", publish("$JS.API.STREAM.PURGE.PLANNING_EVENTS")),
        ("bridge", subscribe(">")),
    ],
)
def test_no_user_does_what_only_another_may(secured_nats: SecuredNats, user: str, act: Act) -> None:
    async def scenario() -> list[str]:
        refusals: list[str] = []
        async with login(secured_nats, user, refusals) as client:
            await act(client)
            await client.flush()
            async with asyncio.timeout(WITHIN):
                while not refusals:
                    await asyncio.sleep(0.01)
        return refusals

    assert "permissions violation" in asyncio.run(scenario())[0]


def test_what_a_publisher_publishes_is_stored_and_confirmed(secured_nats: SecuredNats) -> None:
    async def scenario() -> str:
        async with login(secured_nats, "publisher") as client:
            return (await client.jetstream().publish("planning.plan.approved", b"{}")).stream

    assert asyncio.run(scenario()) == "PLANNING_EVENTS"


def test_an_observer_hears_what_a_worker_publishes_and_reads_it_later(secured_nats: SecuredNats) -> None:
    async def scenario() -> tuple[bytes, bytes | None]:
        async with login(secured_nats, "observer") as observer, login(secured_nats, "worker") as worker:
            subscription = await observer.subscribe("orchestration.>")
            await observer.flush()
            stored = await worker.jetstream().publish("orchestration.deliberation.completed", b'{"n": 1}')
            heard = await subscription.next_msg(WITHIN)
            read = await observer.jetstream().get_msg("ORCHESTRATOR_EVENTS", stored.seq)
            return heard.data, read.data

    assert asyncio.run(scenario()) == (b'{"n": 1}', b'{"n": 1}')


def test_an_observer_pulls_from_the_durable_that_an_operator_made_for_it(secured_nats: SecuredNats) -> None:
    async def scenario() -> str:
        async with login(secured_nats, "bridge") as bridge, login(secured_nats, "observer") as observer:
            await bridge.jetstream().add_consumer("ORCHESTRATOR_EVENTS", ConsumerConfig(durable_name="observer"))
            await bridge.jetstream().publish("orchestration.plan.dispatched", b"{}")
            durable = await observer.jetstream().pull_subscribe_bind("observer", stream="ORCHESTRATOR_EVENTS")
            (message,) = await durable.fetch(1, timeout=WITHIN)
            await message.ack_sync(timeout=WITHIN)
            return message.subject

    assert asyncio.run(scenario()).startswith("orchestration.")


def test_a_monitor_may_ask_the_bridges_how_they_are(secured_nats: SecuredNats) -> None:
    async def scenario() -> None:
        async with login(secured_nats, "observer") as observer:
            await observer.request("$SRV.PING", timeout=WITHIN)

    # No bridge runs that could answer; the question itself was let through.
    with pytest.raises(NoRespondersError):
        asyncio.run(scenario())


@pytest.mark.parametrize("login_as", ["", "bridge:wrong@", "stranger:x@"])
def test_a_wrong_login_is_refused(secured_nats: SecuredNats, login_as: str) -> None:
    async def scenario() -> None:
        await nats.connect(
            secured_nats.url.replace("://", f"://{login_as}"), allow_reconnect=False, error_cb=_silent
        )

    with pytest.raises(Error, match=r"(?i)authorization violation"):
        asyncio.run(scenario())


async def _silent(error: Exception) -> None:
    return
