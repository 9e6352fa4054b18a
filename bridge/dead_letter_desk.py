"""DeadLetterDesk over NATS, connected at its first use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from nats.aio.client import Client
from nats.errors import Error

from bridge.dead_letters import DeadLetters
from bridge.nats_connection import NatsUnreachable, connect, permission_violation
from bridge.options import NatsOptions
from bridge.publication import PublicationFailed
from bridge.streams import StreamMissing
from domain.dead_letter import DeadLetter
from domain.errors import SystemUnreadable

T = TypeVar("T")


class NatsDeadLetterDesk:
    """One connection for all calls, made anew if it was closed for good.

    `durables` begins the names of our consumers.
    """

    def __init__(self, options: NatsOptions, *, durables: str) -> None:
        self._options = options
        self._durables = durables
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def list(self, after: int, limit: int) -> tuple[DeadLetter, ...]:
        return await self._do(lambda letters: letters.list(after=after, limit=limit))

    async def newest(self, limit: int) -> tuple[DeadLetter, ...]:
        return await self._do(lambda letters: letters.newest(limit))

    async def show(self, number: int) -> DeadLetter:
        return await self._do(lambda letters: letters.show(number))

    async def replay(self, number: int) -> None:
        await self._do(lambda letters: letters.replay(number))

    async def purge(self, number: int) -> None:
        await self._do(lambda letters: letters.purge(number))

    async def close(self) -> None:
        """Close the connection if there is one."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(Error, TimeoutError, OSError):
                await client.close()

    async def _do(self, act: Callable[[DeadLetters], Awaitable[T]]) -> T:
        client = None
        try:
            client = await self._connected()
            return await act(DeadLetters(client, durables=self._durables))
        except (NatsUnreachable, StreamMissing, PublicationFailed) as error:
            raise SystemUnreadable(str(error)) from error
        except (Error, TimeoutError, OSError) as error:
            forbidden = permission_violation(client) if client else ""
            reason = forbidden or f"NATS refused: {str(error) or type(error).__name__}; try again"
            raise SystemUnreadable(reason) from error

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None or self._client.is_closed:
                self._client = await connect(self._options)
            return self._client
