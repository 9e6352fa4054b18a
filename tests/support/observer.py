"""A stranger on NATS: plain nats-py, publishes JSON and reads what the streams hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import nats
from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg

READ = {"ORCHESTRATOR_EVENTS": "orchestration.>", "CONCLAVE_DEAD_LETTERS": "conclave.dead_letter.>"}
"""Stream → the subjects of it that are heard."""


@dataclass(frozen=True)
class ObservedEvent:
    """One message with its body read."""

    subject: str
    headers: dict[str, str]
    body: dict[str, Any]
    """Empty for a dead letter, whose data need not be JSON."""
    data: bytes


@dataclass
class Observer:
    """Reads everything that the streams get from its start on; every wait has a deadline.

    It reads by sequence number, so that a restart of NATS neither loses nor repeats anything to it: a plain
    subscriber would miss what is published before it is connected again.
    """

    url: str
    heard: list[ObservedEvent] = field(default_factory=list)
    _over: bool = False

    async def __aenter__(self) -> Self:
        self._client: Client = await nats.connect(self.url, max_reconnect_attempts=-1, reconnect_time_wait=0.2)
        self._streams: JetStreamContext = self._client.jetstream(timeout=2)
        starts = {name: (await self._streams.stream_info(name)).state.last_seq + 1 for name in READ}
        self._reading = [asyncio.create_task(self._read(name, sequence)) for name, sequence in starts.items()]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Python 3.11's wait_for, below every request, loses a cancellation that meets the answer.
        self._over = True
        for reading in self._reading:
            reading.cancel()
        await asyncio.wait(self._reading)
        await self._client.close()

    async def publish(self, subject: str, payload: bytes | dict[str, Any], **headers: str) -> None:
        """Store a message in the stream that covers the subject."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        await self._client.jetstream(timeout=300).publish(subject, data, headers=headers or None)

    def of(self, subject: str, **fields: Any) -> list[ObservedEvent]:
        """Return what was heard on a subject whose body has these fields."""
        return [
            one
            for one in list(self.heard)
            if one.subject == subject and all(one.body.get(name) == value for name, value in fields.items())
        ]

    async def wait(
        self, subject: str, *, count: int = 1, within: float = 180.0, **fields: Any
    ) -> list[ObservedEvent]:
        """Return at least `count` messages on the subject with these fields; AssertionError after the deadline."""
        await until(
            lambda: len(self.of(subject, **fields)) >= count, within=within, what=self._miss(subject, fields)
        )
        return self.of(subject, **fields)

    def _miss(self, subject: str, fields: dict[str, Any]) -> Callable[[], str]:
        def miss() -> str:
            rest = [(one.subject, one.body.get("reason")) for one in self.heard[-8:]]
            return f"{subject} {fields}: heard {len(self.of(subject, **fields))}, at last {rest}"

        return miss

    async def _read(self, stream: str, sequence: int) -> None:
        while not self._over:
            try:
                stored = await self._streams.get_msg(stream, sequence, subject=READ[stream], next=True)
            except (Error, TimeoutError, OSError):
                await asyncio.sleep(0.02)
                continue
            self._note(stored)
            sequence = int(stored.seq or sequence) + 1

    def _note(self, stored: RawStreamMsg) -> None:
        subject, data = stored.subject or "", stored.data or b""
        body = json.loads(data) if subject.startswith("orchestration.") else {}
        self.heard.append(ObservedEvent(subject, stored.headers or {}, body, data))


async def until(condition: Callable[[], bool], *, within: float, what: Callable[[], str]) -> None:
    """Wait for a condition; raises AssertionError with `what()` when its time is over."""
    try:
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {within:g} s: {what()}") from None


def watching(url: str, scenario: Callable[[Observer], Awaitable[None]]) -> None:
    """Run a scenario with an observer in place."""

    async def run() -> None:
        async with Observer(url) as observer:
            await scenario(observer)

    asyncio.run(run())
