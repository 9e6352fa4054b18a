"""What a bridge looks after beside its consumers: the connection, missing streams, lag, losses, dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import structlog
from nats.aio.client import Client
from nats.errors import ConnectionClosedError, Error
from nats.js.errors import NotFoundError

from bridge.dead_letters import DeadLetters
from bridge.losses import LossWatch
from bridge.options import BridgeOptions
from bridge.statistics import BridgeStatistics
from bridge.streams import StreamMissing, all_streams, ensure, stream_of
from bridge.subjects import durable_name

log = structlog.get_logger("bridge.watch")

LOOK_EVERY_S = 2.0
"""Between two looks."""
LOOKS_PER_ENSURE = 3
"""Looks of which one also creates streams that were deleted."""
LOST_S = 30.0
"""A client that has not reconnected by itself for so long is replaced."""


class BridgeWatch:
    """Looks over one connection."""

    def __init__(
        self, client: Client, options: BridgeOptions, statistics: BridgeStatistics, losses: Mapping[str, LossWatch]
    ) -> None:
        self._client = client
        self._options = options
        self._statistics = statistics
        self._losses = losses
        self._missing = ""
        self._dead_letters = DeadLetters(client, durables=options.consumer.durables)

    async def run(self) -> None:
        """Look until cancelled. Raises what a new session mends: nats' ConnectionClosedError."""
        loop = asyncio.get_running_loop()
        seen, looks = loop.time(), 0
        while loop.time() - seen < LOST_S:
            if self._client.is_connected:
                seen, looks = loop.time(), looks + 1
                with suppress(Error, StreamMissing, TimeoutError, OSError):
                    await self._look()
                if looks % LOOKS_PER_ENSURE == 0:
                    await self._restore_streams()
            self._statistics.connected = self._client.is_connected
            await asyncio.sleep(LOOK_EVERY_S)
        raise ConnectionClosedError

    async def ensure_streams(self) -> None:
        """Create the streams that are missing. Raises StreamMissing, and nats' errors."""
        for plan in all_streams(self._options.consumer.durables):
            await ensure(self._client.jetstream(), plan, self._options.streams)

    async def _restore_streams(self) -> None:
        """Create the streams that are missing; a reason why one can't be is logged once."""
        try:
            await self.ensure_streams()
            self._missing = ""
        except StreamMissing as error:
            if str(error) != self._missing:
                log.error("stream_missing", reason=str(error))
            self._missing = str(error)
        except (Error, TimeoutError, OSError):
            return

    async def _look(self) -> None:
        fill: dict[str, float] = {}
        for subject, losses in self._losses.items():
            held_by = await stream_of(self._client.jetstream(), subject)
            if held_by is not None:
                name = durable_name(self._options.consumer.durables, subject)
                with suppress(NotFoundError):  # its consumer is about to make the durable
                    nearness = await losses.look(self._client, held_by, name)
                    fill[held_by] = max(fill.get(held_by, 0.0), nearness)
        self._statistics.fill = fill
        self._statistics.dead_letters = await self._dead_letters.count()
