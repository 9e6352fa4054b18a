"""The consumers on the events over one connection to NATS; apart, so that other commands import no NATS."""

from __future__ import annotations

from bridge.consumers import Consumer, Consumers, NewConsumer
from bridge.streams import StreamMissing, stream_of
from domain.event_types import COMPLETED
from workers.cli.nats_session import NatsSession


class ConsumerSession(NatsSession):
    """The consumers over one connection."""

    def create(self, new: NewConsumer) -> Consumer:
        return self._call(self._create, new)

    def list(self) -> tuple[Consumer, ...]:
        return self._call(self._list)

    def delete(self, name: str) -> bool:
        return self._call(self._delete, name)

    async def _create(self, new: NewConsumer) -> Consumer:
        return await (await self._consumers()).create(new)

    async def _list(self) -> tuple[Consumer, ...]:
        return await (await self._consumers()).list()

    async def _delete(self, name: str) -> bool:
        return await (await self._consumers()).delete(name)

    async def _consumers(self) -> Consumers:
        stream = await stream_of(self._connected.jetstream(), COMPLETED)
        if stream is None:
            raise StreamMissing("no stream holds the events; start a bridge, which makes it")
        return Consumers(self._connected, stream)
