"""A stranger on NATS: plain nats-py, publishes JSON and collects what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg


@dataclass(frozen=True)
class Heard:
    """One message with its body read."""

    subject: str
    headers: dict[str, str]
    body: dict[str, Any]
    """Empty for a dead letter, whose data need not be JSON."""
    data: bytes


@dataclass
class Observer:
    """Listens to `orchestration.>` and the dead letters from its start on; every wait has a deadline."""

    url: str
    heard: list[Heard] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._client: Client = await nats.connect(self.url)
        for subject in ("orchestration.>", "conclave.dead_letter.>"):
            await self._client.subscribe(subject, cb=self._note)
        await self._client.flush()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def publish(self, subject: str, payload: bytes | dict[str, Any], **headers: str) -> None:
        """Store a message in the stream that covers the subject."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        await self._client.jetstream().publish(subject, data, headers=headers or None)

    def of(self, subject: str, **fields: Any) -> list[Heard]:
        """Return what was heard on a subject whose body has these fields."""
        return [
            one
            for one in list(self.heard)
            if one.subject == subject and all(one.body.get(name) == value for name, value in fields.items())
        ]

    async def wait(self, subject: str, *, count: int = 1, within: float = 30.0, **fields: Any) -> list[Heard]:
        """Return at least `count` messages on the subject with these fields; AssertionError after the deadline."""
        await until(
            lambda: len(self.of(subject, **fields)) >= count, within=within, what=self._miss(subject, fields)
        )
        return self.of(subject, **fields)

    def _miss(self, subject: str, fields: dict[str, Any]) -> Callable[[], str]:
        return lambda: f"{subject} {fields}: heard {len(self.of(subject, **fields))}, in all {len(self.heard)}"

    async def _note(self, message: Msg) -> None:
        headers = {str(name): str(value) for name, value in (message.headers or {}).items()}
        body = json.loads(message.data) if message.subject.startswith("orchestration.") else {}
        self.heard.append(Heard(message.subject, headers, body, message.data))


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
