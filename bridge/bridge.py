"""The bridge process: keeps a connection, creates missing streams, runs a consumer for every inbound subject."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any

import structlog
from nats.aio.client import Client
from nats.errors import ConnectionClosedError, Error

from bridge.batch_dispatch import PlanDispatcher
from bridge.batch_judging import Judge
from bridge.batch_processor import BatchProcessor
from bridge.cancelling import cancel_all
from bridge.event_message import EventEncoder
from bridge.event_writer import EventWriter
from bridge.intake import Reader, readers
from bridge.losses import LossWatch
from bridge.nats_connection import NatsUnreachable, connect
from bridge.options import BridgeOptions
from bridge.service import micro_service
from bridge.statistics import BridgeStatistics
from bridge.streams import StreamMissing
from bridge.subject_consumer import SubjectConsumer, pause
from bridge.subjects import DELIBERATION_JUDGED
from bridge.watch import BridgeWatch

log = structlog.get_logger("bridge")

RETRY_S = (0.5, 1.0, 2.0, 5.0)
"""Waits between sessions that could not begin; the last one repeats."""


def unlimited() -> int:
    """Capacity without a limit."""
    return 1_000_000


class Bridge:
    """Takes in messages, over any number of connections, until stopped.

    `dispatcher`, `judge` and `capacity` are called in threads and may block. `capacity` returns how many more
    plans may come in now; at 0 none is fetched and the backlog waits in JetStream. Where it raises, that counts as
    0. Verdicts come in at any time: they start nothing, and may be what a decision waits for.
    """

    def __init__(
        self,
        options: BridgeOptions,
        *,
        dispatcher: PlanDispatcher,
        judge: Judge,
        capacity: Callable[[], int] = unlimited,
    ) -> None:
        self.statistics = BridgeStatistics()
        self._options = options
        self._dispatcher = dispatcher
        self._judge = judge
        self._capacity = capacity
        self._readers = readers(
            phases=options.phases,
            default_roles=options.default_roles,
            max_bytes=options.max_message_bytes,
            limits=options.limits,
        )
        self._losses = {subject: LossWatch(subject, self.statistics.of(subject)) for subject in self._readers}

    async def serve(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then process the batches in flight and close. Returns normally, never gives up.

        Each reason why a session can't begin (no server, no login, no JetStream, a stream in the way) is logged in
        one line with its remedy, and the session is tried again.
        """
        attempt = 0
        while not stop.is_set():
            sessions = self.statistics.sessions
            try:
                await self._session(stop)
            except (NatsUnreachable, StreamMissing) as error:
                log.error("bridge_waits", reason=str(error))
            except ConnectionClosedError:
                reason = f"the connection to NATS at {self._options.nats.address} was lost; connecting anew"
                log.error("bridge_waits", reason=reason)
            except (Error, TimeoutError, OSError) as error:
                log.error("bridge_waits", reason=f"NATS at {self._options.nats.address}: {error}")
            except Exception:
                log.exception("bridge_failed")
            self.statistics.connected = False
            attempt = 0 if self.statistics.sessions > sessions else attempt
            await pause(stop, RETRY_S[min(attempt, len(RETRY_S) - 1)])
            attempt += 1

    async def _session(self, stop: asyncio.Event) -> None:
        client = await connect(self._options.nats)
        try:
            watch = BridgeWatch(client, self._options, self.statistics, self._losses)
            await watch.ensure_streams()
            self.statistics.sessions += 1
            self.statistics.connected = True
            log.info("bridge_ready", nats=self._options.nats.address)
            async with AsyncExitStack() as stack:
                stack.push_async_callback(_flush, client)
                service = micro_service(client, self.statistics, version=self._options.version)
                await stack.enter_async_context(service)
                await self._run(client, watch, stop)
        finally:
            with suppress(Error, TimeoutError, OSError):
                await client.close()

    async def _run(self, client: Client, watch: BridgeWatch, stop: asyncio.Event) -> None:
        encoder = EventEncoder(self._options.source, self._options.events)
        writer = EventWriter(client, encoder=encoder)
        consumers = [self._consumer(client, subject, reader, writer) for subject, reader in self._readers.items()]
        await run_until_stopped(
            [consumer.run(stop) for consumer in consumers],
            beside=[watch.run()],
            stop=stop,
            drain_s=self._options.drain_s,
        )

    def _consumer(self, client: Client, subject: str, reader: Reader, writer: EventWriter) -> SubjectConsumer:
        statistics, options = self.statistics.of(subject), self._options.consumer
        processor = BatchProcessor(
            reader,
            self._dispatcher,
            writer,
            judge=self._judge,
            backoff_s=options.backoff_s,
            statistics=statistics,
        )
        return SubjectConsumer(
            client,
            subject,
            processor,
            capacity=unlimited if subject == DELIBERATION_JUDGED else self._capacity,
            options=options,
            statistics=statistics,
            losses=self._losses[subject],
        )


async def run_until_stopped(
    work: list[Coroutine[Any, Any, None]],
    *,
    beside: list[Coroutine[Any, Any, None]],
    stop: asyncio.Event,
    drain_s: float,
) -> None:
    """Run `work`, coroutines that end by themselves after the stop, and others `beside` that are cancelled then.

    The first failure cancels all and is raised. After `drain_s` all are cancelled, too, and that is only logged.
    """
    workers = [asyncio.ensure_future(coroutine) for coroutine in work]
    others = [asyncio.ensure_future(coroutine) for coroutine in beside]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await _first_of([*workers, *others, stopping])
        if not stop.is_set():
            return
        done, late = await asyncio.wait(workers, timeout=drain_s)
        if late:
            log.warning("drain_cut", unfinished=len(late), after_s=drain_s)
        for ended in done:
            ended.result()
    finally:
        await cancel_all([*workers, *others, stopping])


async def _first_of(tasks: list[asyncio.Future[Any]]) -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _flush(client: Client) -> None:
    with suppress(Error, TimeoutError, OSError):
        await client.flush(timeout=2)
