"""Word that the stream of events holds something new, and the one way to read on from a place in it.

Core NATS says that there is news, and may lose it; what the news is comes from the stream, which forgets nothing
while a connection is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error

from bridge.client.errors import NotConnected
from bridge.client.stored_events import StoredEvents, body_of
from domain.contract import EventBody

POLL_S = 2.0
"""How long a message whose word was lost can stay unread."""
RETRY_S = 0.3
"""Between two tries while NATS is away."""
AWAY = (Error, TimeoutError, OSError)
"""What NATS raises while it is away; nats' errors of its API are among them."""


class News:
    """Hears on subjects, wildcards allowed, while the `with` block lasts."""

    def __init__(self, client: Client, subjects: Sequence[str]) -> None:
        self._client = client
        self._subjects = subjects
        self._came = asyncio.Event()
        self._subscriptions: list[Subscription] = []

    async def __aenter__(self) -> Self:
        for subject in self._subjects:
            self._subscriptions.append(await self._client.subscribe(subject, cb=self._hear))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for subscription in self._subscriptions:
            with suppress(*AWAY):
                await subscription.unsubscribe()

    async def wait(self) -> None:
        """Return when there is news since the last call, or after a while."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), POLL_S)
        self._came.clear()

    async def _hear(self, message: Msg) -> None:
        self._came.set()


class Place:
    """How far a stream was read on one subject."""

    def __init__(self, events: StoredEvents, subject: str, sequence: int) -> None:
        self._events = events
        self.subject = subject
        self.sequence = sequence
        """The one to read on from."""

    async def read(self, take: Callable[[EventBody], object], *, upto: int | None = None) -> None:
        """Hand on what is stored from here on, `upto` excluded. Raises AWAY; called again, it goes on there."""
        while upto is None or self.sequence < upto:
            stored = await self._events.next(self.subject, self.sequence)
            if stored is None:
                return
            # Nothing is awaited before it is handed on: what lies before a place has been.
            self.sequence = stored.sequence + 1
            if (body := body_of(stored)) is not None and (upto is None or stored.sequence < upto):
                take(body)

    def rewind(self, end: int) -> None:
        """Begin again at the start of a stream that was made anew, as one is that ends before this place."""
        if end < self.sequence:
            self.sequence = 1


async def wait_while_away(client: Client) -> None:
    """Wait a moment before the next try. Raises NotConnected when the connection is closed for good."""
    if client.is_closed:
        reason = f": {client.last_error}" if client.last_error else ""
        raise NotConnected(f"the connection to NATS is closed{reason}; make a new client")
    await asyncio.sleep(RETRY_S)
