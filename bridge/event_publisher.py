"""The EventPublisher port over JetStream, for tasks: synchronous outside, one connection per event loop inside."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

import structlog
from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext

from bridge.nats_connection import NatsUnreachable, connect
from bridge.options import NatsOptions
from bridge.publication import PublicationFailed, TooLarge, publish_events, tell_events
from domain.errors import PublishFailed, PublishRefused
from domain.event import Event

log = structlog.get_logger("bridge.event_publisher")

T = TypeVar("T")

MAX_TELLING = 1000
"""Events of progress that wait for the loop; more are dropped, since nobody misses them."""


class Portal(Protocol):
    """Runs coroutines on the event loop of the calling process, from any thread but the loop's own."""

    def start(self, function: Callable[..., Awaitable[T]], *args: object) -> Future[T]:
        """Start `function(*args)` and return at once. Raises RuntimeError if the loop is gone."""
        ...

    def call(self, function: Callable[..., Awaitable[T]], *args: object) -> T:
        """Run `function(*args)` and return its result, or raise what it raised."""
        ...


class NatsEventPublisher:
    """Publishes events as CloudEvents in binary mode under `Nats-Msg-Id` = event id.

    The connection is made at the first event and kept for as long as the portal's loop lives; a child process
    has a loop, and so a connection, of its own.
    """

    def __init__(
        self,
        options: NatsOptions,
        portal: Portal,
        *,
        source: str = "conclave",
        timeout_s: float = 10.0,
    ) -> None:
        self._portal = portal
        self._source = source
        self._timeout_s = timeout_s
        self._options = options
        self._links: WeakKeyDictionary[asyncio.AbstractEventLoop, _Link] = WeakKeyDictionary()
        self._progress: dict[int, _Progress] = {}

    def publish(self, events: Sequence[Event]) -> None:
        """Publish and wait for every confirmation, at most for the time-out. Raises as the port says."""
        if not events:
            return
        try:
            self._portal.call(self._publish, tuple(events))
        except TooLarge as error:
            raise PublishRefused(str(error), error.event_id) from error
        except (PublicationFailed, NatsUnreachable) as error:
            raise PublishFailed(str(error)) from error

    def tell(self, events: Sequence[Event]) -> None:
        """Hand progress to the loop and return at once."""
        progress = self._progress.setdefault(os.getpid(), _Progress())
        if not progress.add(events):
            return
        try:
            self._portal.start(self._tell, progress)
        except RuntimeError as error:
            log.debug("progress_dropped", events=len(progress.take()), error=str(error))

    def close(self) -> None:
        """Close this process's connection; a later event makes a new one."""
        self._portal.call(self._close)

    async def _publish(self, events: tuple[Event, ...]) -> None:
        link = self._link()
        client, stream = await link.get()
        try:
            await publish_events(stream, client, events, source=self._source, timeout_s=self._timeout_s)
        except PublicationFailed:
            await link.replace_if_lost(client)
            raise

    async def _tell(self, progress: _Progress) -> None:
        try:
            client, _ = await self._link().get()
            await tell_events(client, progress.take(), source=self._source)
        except (NatsUnreachable, Error, OSError) as error:
            log.debug("progress_dropped", events=len(progress.take()), error=str(error))

    async def _close(self) -> None:
        await self._link().close()

    def _link(self) -> _Link:
        return self._links.setdefault(asyncio.get_running_loop(), _Link(self._options))


class _Progress:
    """What one process has to tell: waking its loop costs more than an event, so a burst goes out together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = []
        """Somebody has been sent to take them as long as there are any."""

    def add(self, events: Sequence[Event]) -> bool:
        """Keep what there is room for; True if somebody must be sent to take it."""
        with self._lock:
            nobody_comes = not self._events
            self._events += events[: MAX_TELLING - len(self._events)]
            return nobody_comes and bool(self._events)

    def take(self) -> list[Event]:
        """Return everything, oldest first; what comes later waits for somebody else."""
        with self._lock:
            taken, self._events = self._events, []
        return taken


class _Link:
    """The connection of one event loop."""

    def __init__(self, options: NatsOptions) -> None:
        self._options = options
        self._lock = asyncio.Lock()
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None

    async def get(self) -> tuple[Client, JetStreamContext]:
        """Return the connection, made now if there is none. Raises Unreachable."""
        async with self._lock:
            if self._client is None or self._client.is_closed or self._stream is None:
                self._client = await connect(self._options)
                self._stream = self._client.jetstream()
            return self._client, self._stream

    async def replace_if_lost(self, client: Client) -> None:
        """Drop a connection that failed us and is not up: the next event makes a fresh one, or says why not."""
        if client is self._client and not client.is_connected:
            await self.close()

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Error, TimeoutError, OSError):
                await client.close()
