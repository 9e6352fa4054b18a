"""Messages that left their stream before a bridge read them: noticed, told once, and kept as a dead letter."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from nats.aio.client import Client
from nats.errors import Error

from bridge.dead_letter import encode_loss
from bridge.position import Position, gone_between, read_position, record_position
from bridge.publication import PublicationFailed, publish_confirmed
from bridge.statistics import SubjectStatistics
from bridge.subjects import dead_letter_subject

log = structlog.get_logger("bridge.losses")

PAUSE_S = 30.0
"""Between two reports about a stream that goes on losing, and between two positions that are recorded."""


class LossWatch:
    """Watches one subject for one bridge process, over any number of connections.

    What was read is known from this process's own looks, from the server (what was delivered), and from what the
    bridges have recorded on the durable. The bridge whose dead letter the stream takes first tells of a loss.
    """

    def __init__(self, subject: str, statistics: SubjectStatistics) -> None:
        self._subject = subject
        self._statistics = statistics
        self._lock = asyncio.Lock()
        self._before: Position | None = None
        """The last look after which nothing was left to tell."""
        self._read_to = 0
        """Up to here all was read or told."""
        self._told_at = self._recorded_at = float("-inf")

    async def look(self, client: Client, stream: str, durable: str) -> float:
        """Compare position and stream, tell what is gone, return the stream's nearness. Raises nats' errors."""
        async with self._lock:
            position = await read_position(client, stream, durable)
            if self._before is None or self._before.identity != position.identity:
                self._before, self._read_to = position, position.read_to
            self._read_to = max(self._read_to, position.recorded)
            lost = gone_between(self._before, position, self._read_to)
            if not lost:
                await self._go_on(client, stream, durable, position)
            elif self._paused_since(self._told_at):
                await self._tell(client, stream, durable, position, lost)
            self._statistics.pending, self._statistics.ack_pending = position.pending, position.ack_pending
            return position.nearness(self._read_to)

    async def _go_on(self, client: Client, stream: str, durable: str, position: Position) -> None:
        caught_up = position.last if position.pending == 0 else 0
        self._before, self._read_to = position, max(self._read_to, position.delivered, caught_up)
        middle = position.first + (position.last - position.first) / 2
        behind = position.first > 1 and position.read_to < min(middle, self._read_to)
        if behind and self._paused_since(self._recorded_at):
            await self._record(client, stream, durable, position)

    async def _tell(self, client: Client, stream: str, durable: str, position: Position, lost: int) -> None:
        begin, end = self._read_to + 1, position.first - 1
        reason = (
            f"up to {lost} messages on {self._subject}, of the sequences {begin} to {end}, left stream {stream}"
            " before a bridge read them: its limits pushed them out, or they were deleted; publish them again"
        )
        if await self._is_first(client, stream, position, end, reason):
            self._statistics.lost += lost
            log.error("messages_lost", subject=self._subject, stream=stream, up_to=lost, reason=reason)
        self._told_at = self._now()
        self._before, self._read_to = position, max(end, position.delivered)
        await self._record(client, stream, durable, position)

    async def _is_first(self, client: Client, stream: str, position: Position, end: int, reason: str) -> bool:
        """Keep the loss as a dead letter; False where another bridge has. Bridges know it by what is recorded."""
        place = (stream, position.identity, self._subject, str(position.recorded))
        headers = encode_loss(self._subject, stream, end, reason, place=place)
        try:
            stored = await publish_confirmed(client, dead_letter_subject(self._subject), b"", headers)
        except PublicationFailed as error:
            log.warning("loss_not_kept", subject=self._subject, error=str(error))
            return True
        return not stored.duplicate

    async def _record(self, client: Client, stream: str, durable: str, position: Position) -> None:
        self._recorded_at = self._now()
        with suppress(Error, TimeoutError):  # a later look tries again
            await record_position(client, stream, durable, position, self._read_to)

    def _paused_since(self, moment: float) -> bool:
        return self._now() - moment >= PAUSE_S

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
