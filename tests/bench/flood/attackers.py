"""A publisher, an observer and a hostile author, each with its shipped login, at it until they are called off."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import nats
from nats.aio.client import Client
from nats.errors import Error

from tests.acceptance.test_pipeline import APPROVED, approval
from tests.bench.flood.engine import HOSTILE_TITLE
from tests.support.secured import SecuredNats

LOGINS = {"publisher": "publisher", "observer": "observer", "author": "client"}
WHO = tuple(LOGINS)
API = "conclave.api"
ASKED_BY_OBSERVERS = (
    f"{API}.STREAM.INFO.ORCHESTRATOR_EVENTS",
    f"{API}.STREAM.MSG.GET.ORCHESTRATOR_EVENTS",
    f"{API}.CONSUMER.INFO.ORCHESTRATOR_EVENTS.observer",
    f"{API}.CONSUMER.MSG.NEXT.ORCHESTRATOR_EVENTS.observer",
    "conclave.bridge.status",
    "$SRV.PING",
    "$SRV.STATS",
)
PULL = b'{"batch": 100, "no_wait": true}'
REPEATED = approval(title="The same again")
HOSTILE_EVERY_S = 2.0


def junk() -> bytes:
    return b'{"plan_id": 7, "roles": "everything", '


def endless_line() -> bytes:
    return json.dumps(approval(description="a" * 900_000)).encode()


def wrong_entries() -> bytes:
    """Cost a bridge a second where it has an error made of each."""
    return json.dumps(approval(constraints={"rubric": [1] * 300_000})).encode()


def wide_patterns() -> bytes:
    """Cost a bridge a second where it compiles them as they are; the last line refuses the plan."""
    patterns = {"pattern": "(?i)" + "[\x01-\U0010fffe]" * 390}
    return json.dumps(approval(constraints={"output_schema": {"items": patterns, "$anchor": "refused"}})).encode()


def repeated() -> bytes:
    return json.dumps(REPEATED).encode()


def without_council() -> bytes:
    return json.dumps(approval(roles=["NOBODY"])).encode()


def nested() -> bytes:
    return b"[" * 10_000


CHEAP: tuple[Callable[[], bytes], ...] = (junk, repeated, without_council, nested, wide_patterns)
"""What a publisher sends in turn: none needs a model's work."""
LARGE: tuple[Callable[[], bytes], ...] = (endless_line, wrong_entries)
"""What it sends in turn twice a second, each nearly a megabyte."""


@asynccontextmanager
async def login(server: SecuredNats, user: str) -> AsyncIterator[Client]:
    """Connect as a stubborn client that says nothing of its errors."""

    async def silent(error: Exception) -> None:
        return

    client = await nats.connect(
        server.url_of(user), error_cb=silent, max_reconnect_attempts=-1, reconnect_time_wait=0.1
    )
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def attackers(
    server: SecuredNats, *, who: tuple[str, ...] = WHO, per_s: float, done: Counter[str]
) -> AsyncIterator[None]:
    """Have these at it, publisher and observer with so many messages a second each. `done` counts."""
    async with AsyncExitStack() as stack:
        works = {"publisher": _publish, "observer": _observe, "author": _author}
        clients = {name: await stack.enter_async_context(login(server, LOGINS[name])) for name in who}
        tasks = [asyncio.create_task(works[name](client, per_s, done)) for name, client in clients.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _publish(client: Client, per_s: float, done: Counter[str]) -> None:
    """Send what is refused, repeated, unanswerable and unread in turn, and a megabyte twice a second."""
    number, large = 0, itertools.cycle(LARGE)
    while True:
        number += 1
        make = CHEAP[number % len(CHEAP)]
        with suppress(Error, TimeoutError, OSError):
            await client.publish(APPROVED, make(), reply="orchestration.deliberation.completed")
            await client.publish("planning.junk", b"{}")
            done["published"] += 2
            if number % int(per_s / 2) == 0:
                await client.publish(APPROVED, next(large)())
                done["megabytes"] += 1
        await asyncio.sleep(1 / per_s)


async def _observe(client: Client, per_s: float, done: Counter[str]) -> None:
    """Ask for all that an observer may ask for, answers into an inbox and into its own events."""
    number = 0
    inbox = client.new_inbox()
    await client.subscribe(inbox)
    while True:
        subject = ASKED_BY_OBSERVERS[number % len(ASKED_BY_OBSERVERS)]
        body = PULL if "NEXT" in subject else b'{"seq": 1}' if "MSG.GET" in subject else b""
        number += 1
        with suppress(Error, TimeoutError, OSError):
            await client.publish(subject, body, reply=inbox)
            done["asked"] += 1
        await asyncio.sleep(1 / per_s)


async def _author(client: Client, per_s: float, done: Counter[str]) -> None:
    """Approve plans whose proposals are hostile."""
    while True:
        with suppress(Error, TimeoutError, OSError):
            await client.publish(APPROVED, json.dumps(approval(title=HOSTILE_TITLE)).encode())
        done["hostile plans"] += 1
        await asyncio.sleep(HOSTILE_EVERY_S)
