"""A NATS server of its own for every test, real bridges in the test's loop, a Dispatcher that obeys the test."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig

from bridge.bridge import Bridge, unlimited
from bridge.dead_letters import DeadLetters
from bridge.options import BridgeOptions, ConsumerOptions, NatsOptions, StreamLimits
from bridge.streams import PLANNING, dead_letter_stream, ensure
from domain.dead_letter import DeadLetter
from domain.errors import CannotJudge
from domain.plan import PlanRequest
from domain.verdict import SaidVerdict
from tests.support.factories import fresh
from tests.support.servers import NatsServer
from workers.processes.guard import Guard

APPROVED = "planning.plan.approved"
WITHIN_S = 150.0
"""How long a condition may take; generous, since test machines are shared."""


class Broker:
    """A Dispatcher that counts its calls and keeps the plans it took; safe for threads."""

    def __init__(self) -> None:
        self.offered = 0
        self.taken: list[str] = []
        self.judged: list[SaidVerdict] = []
        self.failures_left = 0
        self.open = threading.Event()
        self.open.set()

    def plans(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        self.offered += 1
        assert self.open.wait(WITHIN_S), "the test never opened the broker"
        if self.failures_left > 0:
            self.failures_left -= 1
            raise ConnectionError("the broker is down")
        self.taken.extend(request.plan.plan_id for request in requests)
        return tuple(requests)

    def judge(self, said: SaidVerdict) -> None:
        if said.deliberation_id == "d-unknown":
            raise CannotJudge("no deliberation d-unknown: never opened")
        if self.failures_left > 0:
            self.failures_left -= 1
            raise ConnectionError("the store is down")
        self.judged.append(said)


class Running:
    """A bridge at work in the test's loop."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.stop = asyncio.Event()
        self.task = asyncio.ensure_future(bridge.serve(self.stop))

    async def end(self) -> None:
        """Stop as SIGTERM would, and wait for the drain."""
        self.stop.set()
        await asyncio.wait_for(self.task, WITHIN_S)


async def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition, plain or awaitable; fail when it does not come true."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            met = condition()
            if await met if asyncio.iscoroutine(met) else met:
                return
            await asyncio.sleep(0.02)


async def freeze(server: NatsServer) -> None:
    """Freeze the server and return when it can't answer any more: the signal itself returns before that."""
    server.freeze()
    tasks = Path(f"/proc/{server.pid}/task")
    await until(lambda: all(_state(task) == "T" for task in tasks.iterdir()))


def _state(task: Path) -> str:
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


def approval(plan_id: str | None = None, **changes: Any) -> bytes:
    """Return a bare approval, as a publisher writes it that knows nothing of this project."""
    values = {
        "story_id": fresh("story"),
        "plan_id": plan_id or fresh("plan"),
        "approved_by": "po",
        "timestamp": "2026-01-31T12:00:00Z",
        "roles": ["DEV"],
    }
    return json.dumps(values | changes).encode()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def server(tmp_path: Path, guard: Guard) -> Iterator[NatsServer]:
    with NatsServer(tmp_path / "nats", guard=guard) as server:
        yield server


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def options(server: NatsServer) -> Callable[..., BridgeOptions]:
    """Return a function that makes quick options; its arguments are the consumer's."""

    def make(**consumer: Any) -> BridgeOptions:
        values = {"wait_s": 0.2, "ack_wait_s": 2.0, "backoff_s": (0.1, 0.2)} | consumer
        return BridgeOptions(
            nats=NatsOptions(url=(server.url,), reconnect_wait_s=0.1),
            consumer=ConsumerOptions.model_validate(values),
            phases={"BUILD": ("DEV",)},
        )

    return make


@pytest.fixture
async def run(broker: Broker, options: Callable[..., BridgeOptions]) -> AsyncIterator[Callable[..., Any]]:
    """Return a function that starts a bridge and waits until it is ready."""
    started: list[Running] = []

    async def start(*, capacity: Callable[[], int] | None = None, ready: bool = True, **consumer: Any) -> Running:
        running = Running(
            Bridge(options(**consumer), dispatcher=broker, judge=broker.judge, capacity=capacity or unlimited)
        )
        started.append(running)
        if ready:
            await until(lambda: running.bridge.statistics.connected)
        return running

    yield start
    broker.open.set()
    for running in started:
        await running.end()


@pytest.fixture
async def client(server: NatsServer) -> AsyncIterator[Client]:
    """A plain connection, as publishers and consumers have one."""

    async def unheard(error: Exception) -> None:
        """Tests kill servers; the library would log every failed reconnection."""

    connection = await nats.connect(
        server.url, reconnect_time_wait=0.1, max_reconnect_attempts=-1, error_cb=unheard
    )
    yield connection
    await connection.close()


@pytest.fixture
def stream(client: Client) -> JetStreamContext:
    return client.jetstream()


@pytest.fixture
def dead_letters(client: Client) -> DeadLetters:
    return DeadLetters(client)


async def make_streams_of_approvals(stream: JetStreamContext) -> None:
    """Make the streams of approvals and of dead letters, as bridges do."""
    for plan in (PLANNING, dead_letter_stream()):
        await ensure(stream, plan, StreamLimits())


async def spent(stream: JetStreamContext, consumer: str, data: bytes) -> None:
    """Have JetStream deliver a message once and give up on it."""
    await make_streams_of_approvals(stream)
    configuration = ConsumerConfig(durable_name=consumer, filter_subject=APPROVED, ack_wait=0.2, max_deliver=1)
    await stream.add_consumer("PLANNING_EVENTS", configuration)
    await stream.publish(APPROVED, data, headers={"colour": "red", "Nats-Msg-Id": "m-1"})
    pull = await stream.pull_subscribe_bind(consumer=consumer, stream="PLANNING_EVENTS")
    await pull.fetch(1, timeout=60)


async def advised(stream: JetStreamContext, count: int) -> bool:
    """Whether so many messages, ours and JetStream's advisories, are in the stream of dead letters."""
    return bool((await stream.stream_info("CONCLAVE_DEAD_LETTERS")).state.messages == count)


async def counted(dead_letters: DeadLetters, wanted: int) -> bool:
    """Whether so many dead letters are stored."""
    return len(await dead_letters.list()) == wanted


async def only(dead_letters: DeadLetters) -> DeadLetter:
    """Wait until one dead letter is stored, and return it."""
    await until(lambda: counted(dead_letters, 1))
    (dead_letter,) = await dead_letters.list()
    return dead_letter
