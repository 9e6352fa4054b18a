"""Where a bridge writes: dead letters and events, each confirmed by its stream."""

from __future__ import annotations

from collections.abc import Sequence

from nats.aio.client import Client

from bridge.dead_letter import letter_headers
from bridge.message import InboundMessage
from bridge.publication import publish_confirmed, publish_events
from bridge.subjects import dead_letter
from domain.event import Event

TIMEOUT_S = 5.0


class EventWriter:
    """Writes over one connection."""

    def __init__(self, client: Client, *, source: str) -> None:
        self._client = client
        self._stream = client.jetstream()
        self._source = source

    async def bury(self, message: InboundMessage, reason: str) -> None:
        """Put the message among the dead letters; raises PublicationFailed if that is not confirmed."""
        headers, data = letter_headers(message, reason, max_payload=self._client.max_payload)
        await publish_confirmed(self._client, dead_letter(message.subject), data, headers, timeout_s=TIMEOUT_S)

    async def announce(self, events: Sequence[Event]) -> None:
        """Publish the events; raises PublicationFailed if one is not confirmed."""
        await publish_events(self._stream, self._client, events, source=self._source, timeout_s=TIMEOUT_S)
