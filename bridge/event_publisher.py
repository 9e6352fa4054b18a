"""The EventPublisher port over JetStream, for tasks: synchronous outside, one connection per event loop inside."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

import structlog
from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext

from bridge.event_message import BARE, EventEncoder
from bridge.nats_connection import NatsUnreachable, connect
from bridge.options import NatsOptions
from bridge.publication import PublicationFailed, TooLarge, publish_events, publish_unconfirmed
from domain.errors import PublishFailed, PublishRefused
from domain.event import Event

log = structlog.get_logger("bridge.event_publisher")

T = TypeVar("T")

MAX_PENDING_PROGRESS = 1000
"""Events of progress that wait for the loop; more are dropped, since consumers can do without them."""


class EventLoopPortal(Protocol):
    """Runs coroutines on the event loop of the calling process, from any thread but the loop's own."""

    def start(self, function: Callable[..., Coroutine[Any, Any, T]], *args: object) -> Future[T]:
        """Start `function(*args)` and return at once. Raises RuntimeError if the loop is gone."""
        ...

    def call(self, function: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
        """Run `function(*args)` and return its result, or raise what it raised."""
        ...


class NatsEventPublisher:
    """Publishes events as their encoder writes them.

    The connection is made at the first event and kept for as long as the portal's loop lives; a child process
    has a loop, and so a connection, of its own.
    """

    def __init__(
        self,
        options: NatsOptions,
        portal: EventLoopPortal,
        *,
        encoder: EventEncoder = BARE,
        timeout_s: float = 10.0,
    ) -> None:
        self._portal = portal
        self._encoder = encoder
        self._timeout_s = timeout_s
        self._options = options
        self._connections: WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopConnection] = WeakKeyDictionary()
        self._progress: dict[int, _ProgressBuffer] = {}

    def publish(self, events: Sequence[Event]) -> None:
        """Publish and wait for every confirmation, at most for the time-out. Raises as the port says."""
        if not events:
            return
        try:
            self._portal.call(self._publish, tuple(events))
        except TooLarge as error:
            raise PublishRefused(str(error), error.event_id) from error
        except PublicationFailed as error:
            raise PublishFailed(str(error), confirmed=error.confirmed, unconfirmed=error.unconfirmed) from error
        except NatsUnreachable as error:
            raise PublishFailed(str(error)) from error

    def publish_progress(self, events: Sequence[Event]) -> None:
        """Leave the events to the loop and return at once."""
        pending = self._progress.setdefault(os.getpid(), _ProgressBuffer())
        if not pending.add(events):
            return
        try:
            self._portal.start(self._publish_progress, pending)
        except RuntimeError as error:
            log.debug("progress_dropped", events=len(pending.take()), error=str(error))

    def close(self) -> None:
        """Close this process's connection; a later event makes a new one."""
        self._portal.call(self._close)

    async def _publish(self, events: tuple[Event, ...]) -> None:
        connection = self._connection()
        client, stream = await connection.get()
        try:
            await publish_events(stream, client, events, encoder=self._encoder, timeout_s=self._timeout_s)
        except PublicationFailed:
            await connection.replace_if_lost(client)
            raise

    async def _publish_progress(self, pending: _ProgressBuffer) -> None:
        try:
            client, _ = await self._connection().get()
            await publish_unconfirmed(client, pending.take(), encoder=self._encoder)
        except (NatsUnreachable, Error, OSError) as error:
            log.debug("progress_dropped", events=len(pending.take()), error=str(error))

    async def _close(self) -> None:
        await self._connection().close()

    def _connection(self) -> _LoopConnection:
        return self._connections.setdefault(asyncio.get_running_loop(), _LoopConnection(self._options))


class _ProgressBuffer:
    """The progress of one process: waking its loop costs more than an event, so a burst is published together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = []
        """A call of `take` is on its way as long as there are any."""

    def add(self, events: Sequence[Event]) -> bool:
        """Add the events, up to MAX_PENDING_PROGRESS; True if the caller must arrange for `take`."""
        with self._lock:
            empty = not self._events
            self._events += events[: MAX_PENDING_PROGRESS - len(self._events)]
            return empty and bool(self._events)

    def take(self) -> list[Event]:
        """Return all events, oldest first; events added later wait for the next call."""
        with self._lock:
            taken, self._events = self._events, []
        return taken


class _LoopConnection:
    """The connection of one event loop."""

    def __init__(self, options: NatsOptions) -> None:
        self._options = options
        self._lock = asyncio.Lock()
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None

    async def get(self) -> tuple[Client, JetStreamContext]:
        """Return the connection, made now if there is none. Raises NatsUnreachable."""
        async with self._lock:
            if self._client is None or self._client.is_closed or self._stream is None:
                self._client = await connect(self._options)
                self._stream = self._client.jetstream()
            return self._client, self._stream

    async def replace_if_lost(self, client: Client) -> None:
        """Close a connection that is not up after a failure: the next event makes a fresh one, or says why not."""
        if client is self._client and not client.is_connected:
            await self.close()

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Error, TimeoutError, OSError):
                await client.close()
