"""The inbound loop of one subject: fetch, process, wait; a new session after whatever interrupts it.

A message is acknowledged, and that confirmed, only when the broker has its request or the dead-letter stream has
the message; every other one is delivered again. docs/events.md has the table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from nats.aio.client import Client
from nats.errors import ConnectionClosedError, Error

from bridge.batch_processor import BatchProcessor
from bridge.cancelling import cancel_all
from bridge.delivery import heartbeat
from bridge.durable import Durable, ensure_durable
from bridge.losses import LossWatch
from bridge.options import ConsumerOptions
from bridge.pull import ConsumerGone, Pull
from bridge.statistics import SubjectStatistics
from bridge.streams import StreamMissing

log = structlog.get_logger("bridge.subject_consumer")

CAPACITY_POLL_S = 0.25
"""Between two calls of `capacity` while there is none."""
RECONNECT_POLL_S = 0.05
API_TIMEOUT_S = 3.0
"""An answer that was lost with a killed server is awaited for this long."""


class SubjectConsumer:
    """Takes in one subject until stopped. `capacity` returns how many more plans may come in now; it may block."""

    def __init__(
        self,
        client: Client,
        subject: str,
        processor: BatchProcessor,
        *,
        capacity: Callable[[], int],
        options: ConsumerOptions,
        statistics: SubjectStatistics,
        losses: LossWatch,
    ) -> None:
        self._client = client
        self._subject = subject
        self._processor = processor
        self._capacity = capacity
        self._options = options
        self._statistics = statistics
        self._losses = losses

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until stopped, then finish the batch in flight and nak the rest of what was delivered.

        A failure that passes is logged once and waited out. Raises what a new connection mends: nats'
        ConnectionClosedError when the client has given up, StreamMissing when the stream was deleted.
        """
        while not stop.is_set():
            if not await self._connected(stop):
                continue
            try:
                await self._session(stop)
            except (ConnectionClosedError, StreamMissing):
                raise
            except (Error, ConsumerGone, TimeoutError, OSError) as error:
                self._statistics.last_error = str(error)
                log.warning("consumer_interrupted", subject=self._subject, error=str(error))
                await pause(stop, self._options.backoff_s[0])

    async def _connected(self, stop: asyncio.Event) -> bool:
        """Wait a moment for the connection: a request without one takes its whole time-out to fail."""
        if self._client.is_connected:
            return True
        if self._client.is_closed:
            raise ConnectionClosedError
        await pause(stop, RECONNECT_POLL_S)
        return False

    async def _session(self, stop: asyncio.Event) -> None:
        stream = self._client.jetstream(timeout=API_TIMEOUT_S)
        durable = await ensure_durable(stream, self._subject, self._options)
        await self._look_for_losses(durable)
        pull = Pull(
            self._client,
            stream=durable.stream,
            durable=durable.name,
            wait_s=self._options.wait_s,
            max_bytes=self._options.batch_bytes,
            max_deliver=durable.max_deliver,
        )
        await pull.open()
        try:
            while not stop.is_set():
                await self._process_batch(pull, stop, ack_wait_s=durable.ack_wait_s)
        finally:
            await pull.close()

    async def _look_for_losses(self, durable: Durable) -> None:
        """Look before the first fetch, which moves the durable past any gap. A look that fails stops nothing."""
        with suppress(Error, TimeoutError):
            await self._losses.look(self._client, durable.stream, durable.name)

    async def _process_batch(self, pull: Pull, stop: asyncio.Event, *, ack_wait_s: float) -> None:
        capacity = await self._capacity_unless(stop)
        if capacity <= 0:
            await pause(stop, CAPACITY_POLL_S)
            return
        deliveries = await pull.fetch(min(capacity, self._options.batch))
        if not deliveries:
            return
        async with heartbeat(deliveries, every_s=ack_wait_s / 3):
            wait_s = await self._processor.process(deliveries)
        await pause(stop, wait_s)

    async def _capacity_unless(self, stop: asyncio.Event) -> int:
        """Return the capacity, and 0 as soon as the stop is set: a silent store is asked for many seconds."""
        asking, stopping = asyncio.ensure_future(self._current_capacity()), asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else 0
        finally:
            await cancel_all([asking, stopping])

    async def _current_capacity(self) -> int:
        try:
            return await asyncio.to_thread(self._capacity)
        except Exception as error:
            self._statistics.last_error = str(error)
            log.warning("capacity_unknown", subject=self._subject, error=str(error)[:200])
            return 0


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not beyond the stop."""
    if seconds > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
