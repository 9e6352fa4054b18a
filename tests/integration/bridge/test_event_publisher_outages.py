"""The JetStream publisher when NATS is not as it should be: it says so, and comes back by itself."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.queues import Queue

import pytest
from nats.js import JetStreamContext
from nats.js.api import StreamInfo

from bridge.event_message import BARE, EventEncoder, body_of
from bridge.event_publisher import NatsEventPublisher
from bridge.options import EventOptions, NatsOptions, StreamLimits
from bridge.streams import ORCHESTRATOR, ensure
from domain.errors import PublishFailed, PublishRefused
from domain.event import Event
from tests.integration.bridge.conftest import freeze, until
from tests.support.factories import completed_body, event, failed_body, fresh
from tests.support.servers import NatsServer
from workers.portal import Portal

pytestmark = pytest.mark.anyio

COMPLETED = "orchestration.deliberation.completed"
MakePublisher = Callable[..., NatsEventPublisher]


@pytest.fixture
def make_publisher(server: NatsServer) -> Iterator[MakePublisher]:
    portal = Portal()

    def make(timeout_s: float = 10.0, encoder: EventEncoder = BARE) -> NatsEventPublisher:
        options = NatsOptions(url=(server.url,), reconnect_wait_s=0.1)
        return NatsEventPublisher(options, portal, encoder=encoder, timeout_s=timeout_s)

    yield make
    portal.close()


@pytest.fixture
async def orchestrator(stream: JetStreamContext) -> None:
    await ensure(stream, ORCHESTRATOR, StreamLimits())


async def stored(stream: JetStreamContext) -> StreamInfo:
    info: StreamInfo = await stream.stream_info(ORCHESTRATOR.name)
    return info


async def test_an_event_carries_its_headers(
    make_publisher: MakePublisher, orchestrator: None, stream: JetStreamContext
) -> None:
    told = event(correlation_id="corr", subject_id="d-1")
    await asyncio.to_thread(make_publisher().publish, [told])
    read = await stream.get_last_msg(ORCHESTRATOR.name, COMPLETED)
    assert json.loads(read.data or b"") == told.body.model_dump(mode="json")
    assert read.headers is not None
    assert read.headers["Nats-Msg-Id"] == read.headers["ce-id"] == told.event_id
    assert (read.headers["ce-type"], read.headers["ce-subject"]) == (COMPLETED, "d-1")
    assert (read.headers["ce-source"], read.headers["ce-correlationid"]) == ("conclave", "corr")


async def test_without_a_server_publishing_fails_with_the_address(
    make_publisher: MakePublisher, server: NatsServer
) -> None:
    server.stop()
    publisher = make_publisher()
    with pytest.raises(PublishFailed, match=rf"NATS at {server.url} does not answer .*; start it, or correct"):
        await asyncio.to_thread(publisher.publish, [event()])


async def test_without_a_stream_publishing_fails_with_the_remedy(make_publisher: MakePublisher) -> None:
    with pytest.raises(PublishFailed, match=f"no stream holds {COMPLETED}"):
        await asyncio.to_thread(make_publisher().publish, [event()])


async def test_an_event_over_the_servers_limit_fails_and_the_connection_lives_on(
    make_publisher: MakePublisher, orchestrator: None, stream: JetStreamContext
) -> None:
    publisher = make_publisher()
    small = event()
    empty = len(body_of(event(body=completed_body(synthesis=""))))
    for room in (100, -100):  # the server counts headers, too
        large = event(body=completed_body(synthesis="x" * ((8 << 20) - room - empty)))
        with pytest.raises(PublishRefused, match="raise max_payload") as refused:
            await asyncio.to_thread(publisher.publish, [small, large])
        assert refused.value.event_id == large.event_id
    assert (await stored(stream)).state.messages == 0
    await asyncio.to_thread(publisher.publish, [small])
    assert (await stored(stream)).state.messages == 1


async def test_a_server_that_does_not_confirm_in_time_fails_the_publication(
    make_publisher: MakePublisher, orchestrator: None, server: NatsServer, stream: JetStreamContext
) -> None:
    publisher, told = make_publisher(timeout_s=0.5), event()
    await asyncio.to_thread(publisher.publish, [event()])
    await freeze(server)
    with pytest.raises(PublishFailed, match=r"did not confirm a message on .* within 0\.5 s"):
        await asyncio.to_thread(publisher.publish, [told])
    server.thaw()
    await asyncio.to_thread(make_publisher().publish, [told])
    await until(lambda: _holds(stream, 2))


async def test_a_stream_that_confirms_nothing_is_told_from_a_server_that_is_away(
    make_publisher: MakePublisher, server: NatsServer, stream: JetStreamContext
) -> None:
    await stream.add_stream(name="SILENT", subjects=["orchestration.deliberation.failed"], no_ack=True)
    await stream.add_stream(name="EVENTS", subjects=[COMPLETED])
    heard, silent = event(), event(event_type="orchestration.deliberation.failed", body=failed_body())
    publisher = make_publisher(timeout_s=3.0)
    with pytest.raises(PublishFailed, match="NATS answers, so look at the stream") as failed:
        await asyncio.to_thread(publisher.publish, [silent, heard])
    assert (failed.value.confirmed, failed.value.unconfirmed) == ((heard.event_id,), (silent.event_id,))
    await freeze(server)
    with pytest.raises(PublishFailed, match="it will be sent again") as failed:
        await asyncio.to_thread(publisher.publish, [silent])
    assert failed.value.unconfirmed == ()
    server.thaw()


async def test_events_of_which_one_has_no_stream_are_stored_but_for_that(
    make_publisher: MakePublisher, stream: JetStreamContext
) -> None:
    await stream.add_stream(name="EVENTS", subjects=[COMPLETED])
    heard, homeless = event(), event(event_type="orchestration.deliberation.failed", body=failed_body())
    with pytest.raises(PublishFailed, match=r"no stream holds orchestration\.deliberation\.failed") as failed:
        await asyncio.to_thread(make_publisher().publish, [homeless, heard])
    assert (failed.value.confirmed, failed.value.unconfirmed) == ((heard.event_id,), ())


BOTH_KINDS = EventEncoder("conclave", EventOptions(second_prefix="orchestration.second"))
SECOND = "orchestration.second.deliberation.completed"


async def test_both_kinds_are_stored_once_however_often_an_event_is_published(
    make_publisher: MakePublisher, orchestrator: None, stream: JetStreamContext
) -> None:
    publisher, told = make_publisher(encoder=BOTH_KINDS), event()
    for _ in range(2):
        await asyncio.to_thread(publisher.publish, [told])
    assert (await stored(stream)).state.messages == 2
    bare = await stream.get_last_msg(ORCHESTRATOR.name, COMPLETED)
    enveloped = await stream.get_last_msg(ORCHESTRATOR.name, SECOND)
    assert json.loads(enveloped.data or b"")["payload"] == json.loads(bare.data or b"")


async def test_an_event_is_published_only_when_both_its_kinds_are_stored(
    make_publisher: MakePublisher, stream: JetStreamContext
) -> None:
    await stream.add_stream(name="EVENTS", subjects=[COMPLETED])
    publisher, told = make_publisher(encoder=BOTH_KINDS), event()
    with pytest.raises(PublishFailed, match=f"no stream holds {SECOND}") as failed:
        await asyncio.to_thread(publisher.publish, [told])
    assert failed.value.confirmed == ()
    await stream.add_stream(name="MORE", subjects=[SECOND])
    await asyncio.to_thread(publisher.publish, [told])
    for name in ("EVENTS", "MORE"):
        assert (await stream.stream_info(name)).state.messages == 1


async def test_what_a_killed_server_took_with_it_is_sent_again(
    make_publisher: MakePublisher, orchestrator: None, server: NatsServer, stream: JetStreamContext
) -> None:
    publisher, told = make_publisher(timeout_s=30.0), event()
    await asyncio.to_thread(publisher.publish, [event()])
    await freeze(server)
    publishing = asyncio.ensure_future(asyncio.to_thread(publisher.publish, [told]))
    await asyncio.sleep(0.2)  # time for the message to leave for the frozen server
    await asyncio.to_thread(server.kill9)
    await asyncio.to_thread(server.start)
    await asyncio.wait_for(publishing, 15)
    assert (await stored(stream)).state.messages == 2


async def test_nats_killed_under_a_publisher_that_repeats_stores_every_event_once(
    make_publisher: MakePublisher, orchestrator: None, server: NatsServer, stream: JetStreamContext
) -> None:
    publisher = make_publisher()
    batches = [[event(subject_id=fresh("d")) for _ in range(20)] for _ in range(40)]
    done = threading.Event()
    publishing = threading.Thread(target=_publish_stubbornly, args=(publisher, batches, done))
    publishing.start()
    for _ in range(3):
        before = (await stored(stream)).state.messages
        await until(partial(_grew, stream, before, done))
        await asyncio.to_thread(server.kill9)
        await asyncio.to_thread(server.start)
        await until(lambda: _answers(stream))
    await asyncio.to_thread(publishing.join, 30)
    assert done.is_set()
    assert (await stored(stream)).state.messages == 800


async def test_a_child_process_publishes_over_a_connection_of_its_own(
    make_publisher: MakePublisher, orchestrator: None, stream: JetStreamContext
) -> None:
    publisher = make_publisher()
    await asyncio.to_thread(publisher.publish, [event()])
    context = multiprocessing.get_context("fork")
    answers: Queue[str] = context.Queue()
    child = context.Process(target=_publish_in_child, args=(publisher, [event()], answers))
    await asyncio.to_thread(child.start)
    assert await asyncio.to_thread(answers.get, True, 20) == "published"
    await asyncio.to_thread(child.join, 10)
    await asyncio.to_thread(publisher.publish, [event()])
    assert (await stored(stream)).state.messages == 3


async def test_progress_that_no_server_takes_fails_nothing(
    make_publisher: MakePublisher, server: NatsServer, stream: JetStreamContext
) -> None:
    server.stop()
    publisher = make_publisher()
    for _ in range(3000):
        publisher.publish_progress([event()])
    await asyncio.to_thread(server.start)
    await until(lambda: _answers(stream, "none"))
    await ensure(stream, ORCHESTRATOR, StreamLimits())
    await asyncio.to_thread(publisher.publish, [event()])


async def test_a_closed_publisher_connects_again(
    make_publisher: MakePublisher, orchestrator: None, stream: JetStreamContext
) -> None:
    publisher = make_publisher()
    await asyncio.to_thread(publisher.publish, [event()])
    await asyncio.to_thread(publisher.close)
    await asyncio.to_thread(publisher.publish, [event()])
    assert (await stored(stream)).state.messages == 2


def _publish_stubbornly(publisher: NatsEventPublisher, batches: list[list[Event]], done: threading.Event) -> None:
    """Publish each batch until it is confirmed, as the outbox does."""
    for batch in batches:
        while True:
            try:
                publisher.publish(batch)
                break
            except PublishFailed:
                continue
    done.set()


def _publish_in_child(publisher: NatsEventPublisher, events: list[Event], answers: Queue[str]) -> None:
    publisher.publish(events)
    answers.put("published")


async def _holds(stream: JetStreamContext, count: int) -> bool:
    return (await stored(stream)).state.messages == count


async def _grew(stream: JetStreamContext, before: int, done: threading.Event) -> bool:
    return done.is_set() or (await stored(stream)).state.messages > before


async def _answers(stream: JetStreamContext, name: str = ORCHESTRATOR.name) -> bool:
    try:
        await stream.stream_info(name)
    except TimeoutError:
        return False
    except Exception as error:
        return "NotFoundError" in repr(type(error))
    return True
