"""What a bridge publishes: dead letters and events, each confirmed by its stream."""

from __future__ import annotations

from collections.abc import Sequence

from nats.aio.client import Client

from bridge.dead_letter import encode_dead_letter
from bridge.event_message import EventEncoder
from bridge.message import InboundMessage, traceparent
from bridge.publication import publish_confirmed, publish_events
from bridge.rejection import MAX_REASON
from bridge.subjects import dead_letter_subject
from domain.event import Event
from domain.events import message_rejected
from domain.validation.words import printable

TIMEOUT_S = 5.0


class EventWriter:
    """Publishes over one connection."""

    def __init__(self, client: Client, *, encoder: EventEncoder) -> None:
        self._client = client
        self._stream = client.jetstream()
        self._encoder = encoder

    async def dead_letter(self, message: InboundMessage, reason: str) -> None:
        """Store the message as a dead letter and tell that it is one; raises PublicationFailed if either fails."""
        headers, data = encode_dead_letter(message, reason, max_payload=self._client.max_payload)
        subject = dead_letter_subject(message.subject)
        await publish_confirmed(self._client, subject, data, headers, timeout_s=TIMEOUT_S)
        # A publisher may not read dead letters, which hold what others have asked.
        await self.publish([_rejected(message, reason)])

    async def publish(self, events: Sequence[Event]) -> None:
        """Publish the events; raises PublicationFailed if one is not confirmed."""
        await publish_events(self._stream, self._client, events, encoder=self._encoder, timeout_s=TIMEOUT_S)


def _rejected(message: InboundMessage, reason: str) -> Event:
    return message_rejected(
        subject=message.subject,
        stream=message.stream,
        sequence=message.sequence,
        at=message.received_at,
        reason=printable(reason, MAX_REASON),
        traceparent=traceparent(message.header("traceparent")),
    )
