"""What was asked and told is read back out of real streams: what was delivered, since a moment, nothing odd."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nats
import pytest

from bridge.event_history import NatsEventHistory
from bridge.event_message import EventEncoder
from bridge.event_publisher import NatsEventPublisher
from bridge.intake import readers
from bridge.options import EventDialect, EventOptions, NatsOptions, StreamLimits
from bridge.streams import all_streams, ensure
from bridge.subjects import DELIBERATION_JUDGED, PLAN_APPROVED, durable_name
from domain import events
from domain.contract import CancelledBody, FailedBody
from domain.errors import HistoryUnreadable
from domain.event_types import COMPLETED, FAILED
from tests.integration.bridge.conftest import approval
from tests.support.factories import council, deliberation, verdict
from tests.support.foreign_messages import scatter
from tests.support.secured import SecuredNats
from tests.support.servers import NatsServer
from tests.support.stage import Stage, decision_of
from workers.portal import Portal
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.stack.binaries import configuration

DURABLES = "conclave"


@pytest.fixture
def portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.close()


@pytest.fixture
def nats_server(tmp_path: Path, guard: Guard) -> Iterator[NatsServer]:
    with NatsServer(tmp_path, guard=guard) as server:
        yield server


def history(url: str, portal: Portal) -> NatsEventHistory:
    return NatsEventHistory(options(url), portal, readers=readers(phases={}), durables=DURABLES)


def options(url: str) -> NatsOptions:
    return NatsOptions.model_validate({"url": url})


async def approved(url: str, *plan_ids: str, deliver: int = 0) -> None:
    """Publish approvals, and have the bridge's durable deliver so many messages."""
    client = await nats.connect(url)
    stream = client.jetstream()
    for plan in all_streams():
        await ensure(stream, plan, StreamLimits())
    for plan_id in plan_ids:
        await stream.publish(PLAN_APPROVED, approval(plan_id))
    if deliver:
        name = durable_name(DURABLES, PLAN_APPROVED)
        pull = await stream.pull_subscribe(PLAN_APPROVED, durable=name)
        for message in await pull.fetch(deliver, timeout=10):
            await message.ack_sync()
    await client.close()


def test_only_what_was_delivered_counts_as_asked(nats_server: NatsServer, portal: Portal) -> None:
    asked = history(nats_server.url, portal)
    assert list(asked.requests(0.0)) == [], "there are no streams"
    asyncio.run(approved(nats_server.url, "p1", "p2", "p3"))
    assert list(asked.requests(0.0)) == [], "no bridge has a durable"
    asyncio.run(approved(nats_server.url, deliver=2))
    assert [request.plan.plan_id for request in asked.requests(0.0)] == ["p1", "p2"]
    first, second = asked.requests(0.0)
    assert first.place == "PLANNING_EVENTS:1"
    assert first.content
    assert second.revision == second.plan.timestamp


def test_what_is_older_is_passed_over(nats_server: NatsServer, portal: Portal) -> None:
    asyncio.run(approved(nats_server.url, *(f"old-{n}" for n in range(7))))
    since = time.time()
    asyncio.run(approved(nats_server.url, "new-1", "new-2", deliver=9))
    found = [request.plan.plan_id for request in history(nats_server.url, portal).requests(since)]
    assert found == ["new-1", "new-2"]
    assert list(history(nats_server.url, portal).requests(time.time())) == []


@pytest.mark.parametrize("dialect", ["bare", "envelope", "cloudevents"])
def test_starts_and_ends_are_read_whatever_lies_between(
    nats_server: NatsServer, portal: Portal, dialect: EventDialect
) -> None:
    asyncio.run(approved(nats_server.url))
    begun = deliberation()
    end = events.failed_body(begun, at=begun.opened_at + 1, reason="no", failures=())
    publisher = NatsEventPublisher(
        options(nats_server.url), portal, encoder=EventEncoder("conclave", EventOptions(dialect=dialect))
    )
    publisher.publish([events.started(begun), events.ending(begun, end)])
    asyncio.run(noise(nats_server.url, end.model_dump_json().encode()))
    found = history(nats_server.url, portal)
    assert list(found.started(0.0)) == [events.started(begun).body]
    assert list(found.ends(0.0)) == [end]
    publisher.close()


async def noise(url: str, end: bytes) -> None:
    """Put what is no event of ours on the subjects, and one whose time is no number."""
    client = await nats.connect(url)
    await scatter(client)
    await client.jetstream().publish(COMPLETED, b'{"event_type":"orchestration.deliberation.completed"}')
    no_number = json.dumps({**json.loads(end), "timestamp": float("nan")})
    await client.jetstream().publish(FAILED, no_number.encode())
    await client.close()


def test_ends_of_any_kind_come_in_the_order_in_which_they_were_told(
    nats_server: NatsServer, portal: Portal
) -> None:
    asyncio.run(approved(nats_server.url))
    first, second, third = (deliberation() for _ in range(3))
    told: list[FailedBody | CancelledBody] = [
        events.failed_body(first, at=first.opened_at + 1, reason="no", failures=()),
        events.cancelled_body(second, at=first.opened_at + 2, reason="no"),
        events.failed_body(third, at=first.opened_at + 3, reason="no", failures=()),
    ]
    publisher = NatsEventPublisher(options(nats_server.url), portal)
    publisher.publish([events.ending(begun, end) for begun, end in zip((first, second, third), told, strict=True)])
    assert list(history(nats_server.url, portal).ends(0.0)) == told
    publisher.close()


def test_a_server_that_is_away_says_so(nats_server: NatsServer, portal: Portal) -> None:
    asyncio.run(approved(nats_server.url, "p1", deliver=1))
    nats_server.kill9()
    with pytest.raises(HistoryUnreadable, match="does not answer") as refused:
        list(history(nats_server.url, portal).requests(0.0))
    assert not refused.value.forbidden


def test_the_shipped_worker_may_read(tmp_path: Path, portal: Portal, guard: Guard) -> None:
    with SecuredNats(tmp_path, guard=guard) as server:
        asyncio.run(approved(server.url_of("bridge"), "p1", deliver=1))
        (request,) = history(server.url_of("worker"), portal).requests(0.0)
        assert request.plan.plan_id == "p1"


class StrictNats(NatsServer):
    """nats-server whose login `worker` may publish events alone, as installations of version 0.1 have it."""

    def _describe(self) -> ProcessCommand:
        process = super()._describe()
        permissions = '{ publish: ["orchestration.>", "$JS.API.STREAM.NAMES"], subscribe: "_INBOX.>" }'
        users = f"{{ user: all, password: x }}, {{ user: worker, password: x, permissions: {permissions} }}"
        shared = str(configuration("nats.conf"))
        strict = self.folder / "strict.conf"
        strict.write_text(f"{Path(shared).read_text()}\nauthorization {{ users = [{users}] }}\n")
        return replace(process, argv=tuple(str(strict) if word == shared else word for word in process.argv))

    def url_of(self, user: str) -> str:
        return self.url.replace("://", f"://{user}:x@")


def test_a_login_that_may_not_read_is_told_so_for_good(tmp_path: Path, portal: Portal, guard: Guard) -> None:
    with StrictNats(tmp_path, guard=guard) as server:
        asyncio.run(approved(server.url_of("all"), "p1", deliver=1))
        refusal = "NATS refuses something to our login.*give its user"
        with pytest.raises(HistoryUnreadable, match=refusal) as refused:
            list(history(server.url_of("worker"), portal).requests(0.0))
        assert refused.value.forbidden


def test_verdicts_that_were_delivered_and_told_are_read_and_no_others(
    nats_server: NatsServer, portal: Portal
) -> None:
    def said(by: str) -> bytes:
        fields = {"deliberation_id": "d-1", "verdict": "accept", "timestamp": "2026-01-31T12:00:00Z"}
        return json.dumps(fields | {"by": by}).encode()

    async def publish() -> None:
        async with await nats.connect(nats_server.url) as client:
            stream = client.jetstream()
            for plan in all_streams():
                await ensure(stream, plan, StreamLimits())
            for body in (said("ada"), b"{}", said("bob"), said("eve")):
                await stream.publish(DELIBERATION_JUDGED, body)
            durable = durable_name(DURABLES, DELIBERATION_JUDGED)
            pull = await stream.pull_subscribe(DELIBERATION_JUDGED, durable=durable)
            for message in await pull.fetch(3, timeout=10):
                await message.ack_sync()

    asyncio.run(publish())
    record = Stage(council("DEV")).play()
    verdicts = (verdict(by="ada"), verdict(by="bob", verdict="reject", proposal_id=None))
    told = [events.judged(record.deliberation, decision_of(record), verdicts[:n], verdicts[n]) for n in (0, 1)]
    NatsEventPublisher(options(nats_server.url), portal).publish(told)

    kept = history(nats_server.url, portal)
    assert [one.by for one in kept.verdicts(0.0)] == ["ada", "bob"]
    assert [one.place for one in kept.verdicts(0.0)] == ["DELIBERATION_VERDICTS:1", "DELIBERATION_VERDICTS:3"]
    assert list(kept.requests(0.0)) == []
    assert list(kept.judged(0.0)) == [event.body for event in told]
    assert list(kept.judged(time.time() + 60)) == []
    assert list(kept.verdicts(time.time() + 60)) == []
