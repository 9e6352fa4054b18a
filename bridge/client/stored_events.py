"""The stream of Conclave's events, read message by message.

That needs no consumer: it leaves nothing behind on the server, a login without rights to make one can do it, and a
reader that knows a sequence goes on from there after any outage.
"""

from __future__ import annotations

from nats.aio.client import Client
from nats.errors import Error, NoRespondersError
from nats.js.errors import NotFoundError

from bridge.client.errors import NotAllowed
from bridge.message import InboundMessage
from bridge.nats_connection import permission_violation
from bridge.outgoing import event_in
from bridge.stored import API, IMPORTED_API, StoredMessage, first_since, jetstream_request, message_from
from bridge.streams import ORCHESTRATOR, JetStreamAway, stream_of
from domain.contract import EventBody
from domain.event_types import COMPLETED


class StoredEvents:
    """Reads the stream over one connection. Methods raise nats' errors and TimeoutError while NATS is away."""

    def __init__(self, client: Client, stream: str, api: str) -> None:
        self._client = client
        self.stream = stream
        self.api = api

    @classmethod
    async def find(cls, client: Client) -> StoredEvents:
        """Find the stream, in this login's account or imported into it. Raises NotAllowed if there is none."""
        try:
            stream = await stream_of(client.jetstream(), COMPLETED)
            if stream is not None:
                return cls(client, stream, API)
            reason = "no stream holds Conclave's events; start a bridge, which makes it"
        except JetStreamAway:
            imported = cls(client, ORCHESTRATOR.name, IMPORTED_API)
            if await imported._readable():
                return imported
            reason = f"this login may not read {ORCHESTRATOR.name}; use one that may, such as the shipped `client`"
        except (Error, TimeoutError, OSError) as error:
            reason = permission_violation(client) or f"JetStream does not answer: {str(error) or 'time-out'}"
        raise NotAllowed(reason)

    async def end(self) -> int:
        """Return the sequence that the next event will have."""
        _, last = await self._bounds()
        return last + 1

    async def since(self, moment: float) -> int:
        """Return the sequence of the first event stored since the moment, in epoch seconds; `end` if none was."""
        first, last = await self._bounds()
        return await first_since(self._client, self.stream, first, last, moment, api=self.api)

    async def next(self, subject: str, sequence: int) -> StoredMessage | None:
        """Return the first message at or after the sequence on a subject or wildcard; None after the last."""
        return await message_from(self._client, self.stream, sequence, subject, api=self.api)

    async def _readable(self) -> bool:
        try:
            await self.end()
        except (NotFoundError, NoRespondersError):
            return False
        return True

    async def _bounds(self) -> tuple[int, int]:
        """Return the sequences of the first and the last message that the stream holds."""
        information = await jetstream_request(self._client, f"STREAM.INFO.{self.stream}", api=self.api)
        return int(information["state"]["first_seq"]), int(information["state"]["last_seq"])


def body_of(stored: StoredMessage) -> EventBody | None:
    """Return the event that a stored message holds; None if it holds none."""
    return event_in(InboundMessage(subject=stored.subject, data=stored.data, headers=stored.headers))
